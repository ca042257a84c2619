name(list_util).
version('0.13.0').
title('Predicates for working with lists').
