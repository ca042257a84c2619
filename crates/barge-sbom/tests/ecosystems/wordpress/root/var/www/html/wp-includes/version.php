<?php
/**
 * The WordPress version string.
 */
$wp_version = '6.8.1';
