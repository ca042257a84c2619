// Answers questions about the libraries: one JSON question a line on stdin, one JSON answer a line on stdout.
// An answer is {"ok": value} or {"failed": true}; texts of errors are the libraries' own and not compared.
'use strict';

const readline = require('node:readline');
const {parse} = require('csv-parse/sync');
const handlebars = require('handlebars');
const moment = require('moment-timezone');
const pep440 = require('@renovate/pep440');
const semver = require('semver');

// Handlebars and moment tell of oddities on these; nothing of it is an answer.
console.error = () => {};
console.log = () => {};

const list = {columns: false, relaxQuotes: true, comment: '#', comment_no_infix: true, relaxColumnCount: true, skipEmptyLines: true};
const entry = {relaxColumnCount: true, skipEmptyLines: true};

const context = ({branch, tag, number, items}) => ({
  branch: () => branch,
  tag: () => tag,
  number,
  items,
  join: (left, right) => `${left}+${right}`
});

const answers = {
  csv: ({text, dialect}) => parse(text, dialect === 'list' ? list : entry),
  template: ({text, context: given}) => handlebars.compile(text)(context(given)),
  raw: ({text}) => {
    try {
      const {body} = handlebars.parseWithoutProcessing(text);
      return body.length === 1 && body[0].type === 'MustacheStatement' && body[0].path.parts.length === 1 && body[0].path.parts[0] === 'raw';
    } catch {
      return false;
    }
  },
  moment: ({time, zone, format}) => moment(new Date(time)).tz(zone).format(format),
  date: ({text}) => {
    const date = new Date(text);
    return Number.isNaN(date.getTime()) ? null : date.toISOString();
  },
  semver: ({text}) => {
    const version = semver.valid(text) && semver.parse(text, {loose: true});
    return version ? [version.version, version.prerelease.join('.'), version.build.join('.')] : null;
  },
  pep440: ({text}) =>
    pep440.valid(text) ? [pep440.clean(text), `${pep440.major(text)}`, `${pep440.minor(text)}`, `${pep440.patch(text)}`] : null,
  match: ({text, pattern, flags}) => {
    const found = text.match(new RegExp(pattern, flags));
    return found && Array.from(found, group => group?.toWellFormed() ?? null);
  },
  number: ({text}) => `${Number(text)}`,
  order: ({keys}) => keys.slice().sort((left, right) => left.localeCompare(right))
};

readline.createInterface({input: process.stdin}).on('line', line => {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = {ok: answers[question.part](question)};
  } catch {
    answer = {failed: true};
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
