import { expect, it } from 'vitest';
import { cleanMessage } from './clean.js';

it.each([
  ['Open the file.', 'Öffne die Datei.'],
  ['and/or 100 % sure', 'und/oder zu 100 % sicher'],
  ['Save & close', 'Sichern & schließen'],
])('%s is a sentence', (id, text) => {
  expect(cleanMessage(id, text)).toEqual({ text: [id, text] });
});

it.each([
  ['_Open', 'Ö_ffnen', 'Open', 'Öffnen'],
  ['Save _As', '名前を付けて保存(_A)', 'Save As', '名前を付けて保存'],
  ['&Quit now', 'Jetzt &beenden', 'Quit now', 'Jetzt beenden'],
  ['E_xit', 'Beenden', 'Exit', 'Beenden'],
  ['done\n', 'fertig\n', 'done', 'fertig'],
  ['It is.  Now go.', 'Es ist.  Geh jetzt.', 'It is. Now go.', 'Es ist. Geh jetzt.'],
])('%s loses what is not text', (id, text, left, right) => {
  expect(cleanMessage(id, text)).toEqual({ text: [left, right] });
});

it.each([
  ['Open', '', 'untranslated'],
  ['Open', 'Open', 'untranslated'],
  ['read %s', '%s lesen', 'placeholder'],
  ['%d files', '%d Dateien', 'placeholder'],
  ['%(name)s is here', '%(name)s ist da', 'placeholder'],
  ['%1$-5lu of %2$s', '%1$-5lu von %2$s', 'placeholder'],
  ['Qt says %1', 'Qt sagt %1', 'placeholder'],
  ['hello {name}', 'hallo {name}', 'placeholder'],
  ['in $HOME here', 'in $HOME hier', 'placeholder'],
  ['a <b>bold</b> word', 'ein <b>fettes</b> Wort', 'markup'],
  ['this &amp; that', 'dies &amp; das', 'markup'],
  ['one\ntwo', 'eins\nzwei', 'several lines or columns'],
  ['name   value', 'Name   Wert', 'several lines or columns'],
  ['the file_name of it all', 'der file_name von allem', 'accelerator'],
  ['_Open _all', '_Alles ö_ffnen', 'accelerator'],
  ['Open', 'Ö_ffnen', 'accelerator'],
  ['--help', '--hilfe', 'no words'],
  ['see /etc/passwd now', 'siehe /etc/passwd jetzt', 'no words'],
  ['1234: x', '1234: y', 'no words'],
  ['see http://a.org/', 'siehe http://a.org/', 'no words'],
])('%s is left out', (id, text, reason) => {
  expect(cleanMessage(id, text)).toEqual({ reason });
});
