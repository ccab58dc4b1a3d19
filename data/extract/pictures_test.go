package extract

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestFind: files, directories and patterns, in an order that depends on names alone.
func TestFind(t *testing.T) {
	dir := tree(t, "b.png", "a.x.PNG", "c.jpeg", "d.txt", ".hidden.png", "sub/e.png", "sub/deep/f.jpg", "sub/deep/g.dat", "two/h.png", ".git/i.png")
	single := tree(t, "z.dat")
	all := FindOptions{Recursive: true}
	paths := FindOptions{Recursive: true, PathIDs: true}
	here := FindOptions{PathIDs: true}
	for _, c := range []struct {
		o    FindOptions
		path string
		want []string
	}{
		{FindOptions{}, "", []string{"a.x", "b", "c"}},
		{all, "", []string{"a.x", "b", "c", "e", "f", "h"}},
		{paths, "", []string{"a.x", "b", "c", "sub/e", "sub/deep/f", "two/h"}},
		{here, "*.png", []string{"b"}},
		{here, "[ab].*", []string{"a.x", "b"}},
		{here, "s*/*", []string{"sub/e", "sub/deep/f"}},
		{here, "s*", []string{"sub/e"}},
		{here, "*", []string{"a.x", "b", "c", "sub/e", "two/h"}},
		{here, "**/*.dat", []string{"sub/deep/g"}},
		{here, "**/*.png", []string{"b", "sub/e", "two/h"}},
		{here, "sub/**", []string{"deep/f", "e"}},
		{here, "**/deep/*", []string{"sub/deep/f"}},
		{here, "*/deep/?.jpg", []string{"sub/deep/f"}},
	} {
		p := find(t, c.o, filepath.Join(dir, filepath.FromSlash(c.path)))
		same(t, c.path, ids(t, p), c.want...)
		if n, whole := p.Len(); n != len(c.want) || !whole {
			t.Errorf("%s: %d pictures, %v, want %d", c.path, n, whole, len(c.want))
		}
	}
	same(t, "a file of any name, then a directory", ids(t, find(t, FindOptions{}, filepath.Join(single, "z.dat"), dir)), "z", "a.x", "b", "c")
	odd := tree(t, "[1].png", "1.png")
	same(t, "a file that is called as a pattern", ids(t, find(t, FindOptions{}, filepath.Join(odd, "[1].png"))), "[1]")

	other := tree(t, "sub/b.png", "c.png")
	_, err := Find([]string{dir, other}, FindOptions{Recursive: true})
	says(t, err, filepath.Join(other, "c.png")+": its id would be c, as that of "+filepath.Join(dir, "c.jpeg"), filepath.Join(other, "sub",
		"b.png")+": its id would be b", "--id path")
	_, err = Find(nil, FindOptions{})
	says(t, err, "no pictures are given")
	_, err = Find([]string{filepath.Join(dir, "nothing.png")}, FindOptions{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing.png: %v", err)
	}
	_, err = Find([]string{filepath.Join(dir, "*.gif")}, FindOptions{})
	says(t, err, "*.gif: no such file, and as a pattern it matches no pictures")
	_, err = Find([]string{filepath.Join(dir, "nothing", "*.png")}, FindOptions{})
	says(t, err, "it matches no pictures")
	_, err = Find([]string{filepath.Join(dir, "[.png")}, FindOptions{})
	says(t, err, "no end of its [")
	_, err = Find([]string{t.TempDir()}, FindOptions{})
	says(t, err, "found no pictures in it", "--recursive")
	_, err = Find([]string{"-", "-"}, FindOptions{Stdin: strings.NewReader("")})
	says(t, err, "want standard input once")
}

// TestFindLists: paths in lists are files as they are, and those that have an id again are bad.
func TestFindLists(t *testing.T) {
	lists := t.TempDir()
	save(t, filepath.Join(lists, "lines"), []byte("x/a.png\r\n\n../y/b.png\nz/a.png\n/c d.png"))
	p := find(t, FindOptions{Lists: []string{filepath.Join(lists, "lines")}})
	if n, whole := p.Len(); n != 0 || whole {
		t.Errorf("%d pictures, %v", n, whole)
	}
	same(t, "lines", ids(t, p), "a", "b", "!its id would be a, as that of a picture before it", "c d")
	p = find(t, FindOptions{Lists: []string{filepath.Join(lists, "lines")}, PathIDs: true})
	same(t, "lines", ids(t, p), "x/a", "y/b", "z/a", "c d")
	p = find(t, FindOptions{Stdin: strings.NewReader("a\nb.png\x00c.png\x00\xff.png"), Null: true}, "-")
	same(t, "NUL", ids(t, p), "!its id would be \"a\\nb\", which has control characters", "c", `!its id would be "\xff", which is not UTF-8 text`)
	for want, text := range map[string]string{
		"say -0": "a.png\x00b.png", "path 2 has more than 65535 bytes": "a.png\n" + strings.Repeat("x", 1<<17),
	} {
		says(t, find(t, FindOptions{Stdin: strings.NewReader(text)}, "-").each(func(picture) bool { return true }), "standard input: ", want)
	}
	_, err := Find(nil, FindOptions{Lists: []string{filepath.Join(lists, "nothing")}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// An archived file is an entry of an archive for tests.
type archived struct {
	name    string
	content []byte
}

func tarOf(t testing.TB, entries ...archived) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipOf(t testing.TB, entries ...archived) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestFindArchives: entries of archives are pictures wherever their names point to.
func TestFindArchives(t *testing.T) {
	entries := []archived{
		{"set/", nil}, {"set/a.png", drawing(1)}, {"set/notes.txt", []byte("x")}, {"../../etc/b.png", drawing(2)}, {"/abs/c.PNG", drawing(3)},
		{`win\d.png`, drawing(4)},
		{"__MACOSX/set/._a.png", nil}, {"set/._a.png", nil}, {"bad\x01.png", drawing(5)},
	}
	control := `!its id would be "bad\x01", which has control characters`
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"x.tar": tarOf(t, entries...), "x.tar.gz": gzipped(t, tarOf(t, entries...)), "x.TGZ": gzipped(t, tarOf(t, entries...)), "x.zip": zipOf(t, entries...),
	} {
		path := filepath.Join(dir, name)
		save(t, path, content)
		same(t, name, ids(t, find(t, FindOptions{}, path)), "a", "b", "c", "d", control)
		p := find(t, FindOptions{PathIDs: true}, path)
		same(t, name, ids(t, p), "set/a", "etc/b", "abs/c", "win/d", control)
		to, eye := &memory{}, &eye{}
		report, err := Run(t.Context(), find(t, FindOptions{}, path), eye, to, Options{})
		if err != nil || report != (Report{Added: 4, Failed: 1}) || to.regions["d"].Features[0] != 4 {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
	}
	twice := []archived{{"a/1.png", drawing(1)}, {"b/1.png", drawing(2)}}
	save(t, filepath.Join(dir, "twice.zip"), zipOf(t, twice...))
	_, err := Find([]string{filepath.Join(dir, "twice.zip")}, FindOptions{})
	says(t, err, "twice.zip:b/1.png: its id would be 1, as that of ", "twice.zip:a/1.png")
	save(t, filepath.Join(dir, "twice.tar"), tarOf(t, twice...))
	same(t, "twice.tar", ids(t, find(t, FindOptions{}, filepath.Join(dir, "twice.tar"))), "1", "!its id would be 1, as that of a picture before it")

	for name, content := range map[string][]byte{"none.zip": zipOf(t, archived{"a.txt", nil}), "bad.zip": []byte("PK"), "none.tar": tarOf(t,
		archived{"a.txt", nil}), "bad.tgz": {0x1f, 0x8b, 1}} {
		path := filepath.Join(dir, name)
		save(t, path, content)
		p, err := Find([]string{path}, FindOptions{})
		if err == nil {
			err = p.each(func(picture) bool { return true })
		}
		says(t, err, path)
	}
}

// TestHostileArchives: entries that claim to be huge, or are, cost a line each; an archive that is cut off costs what is after the cut.
func TestHostileArchives(t *testing.T) {
	dir := t.TempDir()
	huge := make([]byte, 65<<20)
	save(t, filepath.Join(dir, "huge.zip"), zipOf(t, archived{"a.png", huge}, archived{"b.png", drawing(7)}))
	save(t, filepath.Join(dir, "huge.tgz"), gzipped(t, tarOf(t, archived{"a.png", huge}, archived{"b.png", drawing(7)})))
	lies := zipOf(t, archived{"a.png", drawing(1)}, archived{"b.png", drawing(7)})
	end := bytes.Index(lies, []byte("PK\x01\x02"))
	copy(lies[end+24:], []byte{4, 0, 0, 0}) // the uncompressed size of the first
	save(t, filepath.Join(dir, "lies.zip"), lies)
	secret := zipOf(t, archived{"a.png", drawing(1)}, archived{"b.png", drawing(7)})
	secret[bytes.Index(secret, []byte("PK\x01\x02"))+8] |= 1
	save(t, filepath.Join(dir, "secret.zip"), secret)
	for name, want := range map[string]string{
		"huge.zip": "more than 64 MB", "huge.tgz": "more than 64 MB", "lies.zip": "zip: ", "secret.zip": "encrypted",
	} {
		to := &memory{}
		var faults []Fault
		report, err := Run(t.Context(), find(t, FindOptions{}, filepath.Join(dir, name)), &eye{}, to, Options{Fault: func(f Fault) error {
			faults = append(faults, f)
			return nil
		}})
		if err != nil || report != (Report{Added: 1, Failed: 1}) || len(faults) != 1 {
			t.Errorf("%s: %+v, %v, %v", name, report, faults, err)
			continue
		}
		says(t, faults[0], filepath.Join(dir, name)+":a.png: ", want)
	}
	whole := tarOf(t, archived{"a.png", drawing(1)}, archived{"b.png", drawing(2)}, archived{"c.png", drawing(3)})
	path := filepath.Join(dir, "cut.tar")
	save(t, path, whole[:1536+700])
	to := &memory{}
	report, err := Run(t.Context(), find(t, FindOptions{}, path), &eye{}, to, Options{})
	says(t, err, path, "damaged or cut off", `after entry "`)
	if report.Added < 1 || to.ids[0] != "a" {
		t.Errorf("%+v, %v", report, to.ids)
	}
}

// TestFindMemory: what is kept of a picture does not grow with the paths before it.
func TestFindMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("goes through 200,000 pictures twice")
	}
	const n = 200_000
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	r, w := io.Pipe()
	go func() {
		for i := range n {
			fmt.Fprintf(w, "some/long/directory/of/a/list/COCO_train2014_%012d.jpg\n", i)
		}
		w.Close()
	}()
	before := live()
	p := find(t, FindOptions{Stdin: r}, "-")
	p.each(func(picture) bool { return true })
	each := float64(live()-before) / n
	t.Logf("%.0f bytes for each picture of a list", each)
	if each > 64 {
		t.Errorf("%.0f bytes for each picture of a list, want 64 at most", each)
	}
	runtime.KeepAlive(p)
}
