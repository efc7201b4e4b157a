import assert from "node:assert/strict";
import { readFilename } from "./filename.ts";

Deno.test("readFilename: which release a file is", () => {
  const table: [project: string, filename: string, read: string | null][] = [
    ["requests", "requests-2.32.3-py3-none-any.whl", "wheel 2.32.3"],
    ["numpy", "numpy-2.1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "wheel 2.1.0"],
    ["foo", "foo-1.0-1_build-py3-none-any.whl", "wheel 1.0"],
    ["foo-bar", "foo_bar-1.0-py3-none-any.whl", "wheel 1.0"],
    ["foo-bar", "Foo.Bar-1.0-py3-none-any.whl", "wheel 1.0"],
    ["foo", "foo-1.0_beta1-py2-none-any.whl", "wheel 1.0_beta1"],
    ["foo", "foo-1.0_1-py2-none-any.whl", "wheel 1.0-1"],
    ["torch", "torch-2.1.0+cu118-cp311-cp311-linux_x86_64.whl", "wheel 2.1.0+cu118"],
    ["requests", "requests-2.32.3.tar.gz", "sdist 2.32.3"],
    ["zope-interface", "zope.interface-7.0.tar.gz", "sdist 7.0"],
    ["foo-bar-baz", "foo-bar_baz-1.0.zip", "sdist 1.0"],
    ["foo", "foo-1.0-beta-2.tar.bz2", "sdist 1.0-beta-2"],
    ["foo", "foo-1.0-4.tgz", "sdist 1.0-4"],
    ["pytz", "pytz-2004d.tar.gz", "sdist 2004d"],
    ["foo-2", "foo-2-1.0.tar.gz", "sdist 1.0"],
    ["foo", "foo-2-1.0.tar.gz", "sdist 2-1.0"],
    ["setuptools", "setuptools-0.6c11-py2.7.egg", "other 0.6c11"],
    ["foo-bar", "foo_bar-1.0-py3.11-linux-x86_64.egg", "other 1.0"],
    ["setuptools", "setuptools-0.6c11.win32-py2.7.exe", "other 0.6c11"],
    ["numpy", "numpy-1.6.1-win32-superpack-python2.7.exe", "other 1.6.1-win32-superpack-python2.7"],
    ["foo", "foo-1.0.win-amd64-py3.5.msi", "other 1.0"],
    ["foo", "foo-1.0.linux-x86_64.tar.gz", "other 1.0"],
    ["foo", "foo-1.0.macosx-10.9-x86_64.tar.gz", "other 1.0"],
    ["foo", "foo-1.0+a.linux.tar.gz", "sdist 1.0+a.linux"],
    ["foo", "foo-1.0-1.noarch.rpm", "other 1.0"],
    ["foo", "foo_1.0-1_all.deb", "other 1.0"],
    // Another project's, whatever page it stands on.
    ["foo", "bar-1.0.tar.gz", null],
    ["foo", "foobar-1.0-py3-none-any.whl", null],
    ["foo-bar", "foo-bar.tar.gz", null],
    // Not to be read.
    ["foo", "foo-1.0-py3.whl", null],
    ["foo", "foo-1.0-a-b-c-d-e-f.whl", null],
    ["foo", "foo-1.0.tar.gz.asc", null],
    ["foo", "foo-1.0.tar.gz.metadata", null],
    ["foo", "foo-.tar.gz", null],
    ["foo", "foo.tar.gz", null],
    ["foo", "../foo-1.0.tar.gz", null],
    ["foo", "foo-1.0/../x.tar.gz", null],
    ["foo", "foo-1.0\u0000.tar.gz", null],
    ["foo", `foo-${"1".repeat(300)}.tar.gz`, null],
    ["constructor", "constructor", null],
  ];
  for (const [project, filename, expected] of table) {
    const read = readFilename(filename, project);
    assert.equal(read === null ? null : `${read.kind} ${read.version}`, expected, `${project} ${filename}`);
  }
});
