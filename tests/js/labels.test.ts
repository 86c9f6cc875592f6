// Labels of samples: folders, CSV and JSON.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderLabels, parseLabels } from '#dist/evaluation/labels.js';

test('folders are classes in alphabetical order; whole numbers stand for themselves', () => {
  const named = folderLabels(['cat/1.png', 'ape/2.png', 'cat/3.png']);
  assert.equal(named.classOf('ape/2.png'), 0);
  assert.equal(named.classOf('cat/3.png'), 1);
  assert.match(named.description, /2 folders as classes, in alphabetical order/);
  const numbered = folderLabels(['test/10/a.png', 'test/2/b.png']);
  assert.equal(numbered.classOf('test/10/a.png'), 10);
  assert.equal(numbered.classOf('test/2/b.png'), 2);
});

test('a file in no folder has no label', () => {
  assert.throws(() => folderLabels(['a.png', 'cat/1.png']), /a\.png is in no folder/);
  assert.throws(() => folderLabels([]), /in no folder/);
});

test('CSV with and without a first line of names, quoted, of more columns', () => {
  const head = parseLabels(
    'file,class_index,class_name\ncalib/a.jpg,11,"gold, finch"\r\n',
    'l.csv',
  );
  assert.equal(head.classOf('a.jpg'), 11);
  assert.equal(head.classOf('calib/a.jpg'), 11);
  const bare = parseLabels('"a ""b"".png",3\nc.png,7', 'l.csv');
  assert.equal(bare.classOf('a "b".png'), 3);
  const names = parseLabels('image;label\na.png;cat\nb.png;ape\n', 'l.csv');
  assert.equal(names.classOf('a.png'), 1);
});

test('JSON: an object by file, or a list', () => {
  assert.equal(parseLabels('{"a.png": 4}', 'l.json').classOf('x/a.png'), 4);
  const list = parseLabels('[{"file": "a.png", "label": "2"}]', 'l.json');
  assert.equal(list.classOf('a.png'), 2);
});

test('what is missing or broken is said', () => {
  const labels = parseLabels('x/a.png,1\ny/a.png,2', 'l.csv');
  assert.equal(labels.classOf('x/a.png'), 1);
  assert.throws(() => labels.classOf('a.png'), /has no label of a\.png/); // which one?
  assert.throws(() => parseLabels('a.png', 'l.csv'), /l\.csv, line 1: expected a file and a label/);
  assert.throws(() => parseLabels('{"a.png": {}}', 'l.json'), /expected \{"file": label\}/);
  assert.throws(() => parseLabels('[{', 'l.json'), /not valid JSON/);
  assert.throws(() => parseLabels('', 'l.csv'), /there is no label/);
});
