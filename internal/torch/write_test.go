package torch

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// source is a tensor of the caller's.
func source(name, dtype string, shape []int, data []byte) Source {
	return Source{Name: name, DType: dtype, Shape: shape, Fetch: func() ([]byte, error) { return data, nil }}
}

// every is a tensor of every type that can be written, and two that share their storage.
func every() []Source {
	return []Source{
		source("f32", "F32", []int{2, 3}, le(arange(6))),
		source("bf16", "BF16", []int{2}, []byte("abcd")),
		source("f16", "F16", []int{1, 2}, []byte("efgh")),
		source("f64", "F64", []int{1}, []byte("ijklmnop")),
		source("i64", "I64", nil, []byte("qrstuvwx")),
		source("i32", "I32", []int{300}, make([]byte, 1200)),
		source("i16", "I16", []int{70000}, make([]byte, 140000)),
		source("i8", "I8", []int{3}, []byte("xyz")),
		source("u8", "U8", []int{0, 5}, nil),
		{Name: "tied", DType: "F32", Shape: []int{2, 3}, SameAs: "f32"},
		source("bool", "BOOL", []int{2}, []byte{1, 0}),
		source("größe", "C64", []int{1}, []byte("12345678")),
		{Name: "tied too", DType: "F32", Shape: []int{2, 3}, SameAs: "f32"},
	}
}

// What is written is read again, member by member at multiples of 64 bytes, as another reader of zip files sees it.
func TestWrite(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, every()); err != nil {
		t.Fatal(err)
	}
	content := b.Bytes()
	f, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	var want []wanted
	for _, s := range every() {
		data := le(arange(6))
		if s.Fetch != nil {
			data, _ = s.Fetch()
		}
		want = append(want, wanted{s.Name, s.DType, s.Shape, data, true})
	}
	checkFile(t, content, f, want)
	if f.Format() != Zip || f.Others() != 0 || f.Path() != nil {
		t.Errorf("%v, path %q, %d others", f.Format(), f.Path(), f.Others())
	}
	if first, _ := f.Tensors()[0].View(); &first[0] != &f.Tensors()[9].Bytes()[0] {
		t.Error("tied tensors have a storage each")
	}

	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range archive.File {
		names = append(names, strings.TrimPrefix(m.Name, "archive/"))
		at, err := m.DataOffset()
		if err != nil || at%64 != 0 || m.Method != zip.Store {
			t.Errorf("member %s: at byte %d by method %d, %v", m.Name, at, m.Method, err)
		}
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // compares the checksum
			t.Errorf("member %s: %v", m.Name, err)
		}
	}
	if got := strings.Join(names, " "); got != "data.pkl byteorder data/0 data/1 data/2 data/3 data/4 data/5 data/6 data/7 data/8 data/9 data/10 version" {
		t.Errorf("members %s", got)
	}
}

func TestWriteRefuses(t *testing.T) {
	x := source("x", "F32", []int{2}, make([]byte, 8))
	broken := errors.New("broken")
	for want, tensors := range map[string][]Source{
		"tensor x is given twice":                  {x, x},
		`tensor "\xff" has a name`:                 {source("\xff", "F32", nil, nil)},
		"tensor y is F8_E4M3":                      {source("y", "F8_E4M3", []int{1}, []byte{1})},
		"tensor y is f32":                          {source("y", "f32", []int{1}, []byte{1})},
		"tensor y has shape [-1]":                  {source("y", "F32", []int{-1}, nil)},
		"tensor y has shape [1099511627776 1099":   {source("y", "F32", []int{1 << 40, 1 << 40}, nil)},
		"tensor y has 7 bytes, want 8 for F32 [2]": {source("y", "F32", []int{2}, make([]byte, 7))},
		"tensor y has no elements":                 {{Name: "y", DType: "F32"}},
		"tensor y: broken":                         {{Name: "y", DType: "F32", Fetch: func() ([]byte, error) { return nil, broken }}},
		"tensor y shall share the storage of z":    {x, {Name: "y", DType: "F32", Shape: []int{2}, SameAs: "z"}},
		"tensor y shall share the storage of y":    {{Name: "y", DType: "F32", Shape: []int{2}, SameAs: "y"}},
		"tensor y shall share the storage of x":    {x, {Name: "y", DType: "F32", Shape: []int{1, 2}, SameAs: "x"}},
		"tensor i shall share the storage of x":    {x, {Name: "i", DType: "I32", Shape: []int{2}, SameAs: "x"}},
		"tensor z shall share the storage of y":    {x, {Name: "y", DType: "F32", Shape: []int{2}, SameAs: "x"}, {Name: "z", DType: "F32", Shape: []int{2}, SameAs: "y"}},
	} {
		if err := Write(io.Discard, tensors); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	full := errors.New("the disk is full")
	for room := 0; ; room += 97 {
		err := Write(&limited{room: room, err: full}, every())
		if err == nil {
			if room < 1000 {
				t.Errorf("written to %d bytes", room)
			}
			break
		}
		if !errors.Is(err, full) {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
	}
}

// limited has no more room than so many bytes.
type limited struct {
	room int
	err  error
}

func (l *limited) Write(b []byte) (int, error) {
	if l.room -= len(b); l.room < 0 {
		return 0, l.err
	}
	return len(b), nil
}

// Writing holds one tensor at a time, reading none.
func TestMemory(t *testing.T) {
	const size = 16 << 20
	data := make([]byte, size)
	var tensors []Source
	for i := range 8 {
		tensors = append(tensors, source(fmt.Sprint(i), "F32", []int{size / 4}, data))
	}
	var b bytes.Buffer
	b.Grow(9 * size)
	var before, between, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Write(&b, tensors); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&between)
	f, err := Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range f.Tensors() {
		if len(x.Bytes()) != size {
			t.Errorf("tensor %s has %d bytes", x.Name, len(x.Bytes()))
		}
	}
	runtime.ReadMemStats(&after)
	if wrote, read := between.TotalAlloc-before.TotalAlloc, after.TotalAlloc-between.TotalAlloc; wrote > 1<<20 || read > 1<<20 {
		t.Errorf("writing took %d bytes of memory, reading %d", wrote, read)
	}
}

// Places and sizes beyond 32 bits, and more members than 16 bits count, as another reader of zip files sees them.
// The bytes of the large member are not there: the file has a hole.
func TestArchiveLong(t *testing.T) {
	const large = 5 << 30
	holes := &sparse{}
	a := newArchive(holes)
	a.add("before", []byte("before"))
	m := member{"archive/large", a.at, large, 0}
	a.members = append(a.members, m)
	a.write(m.header())
	if a.at%64 != 0 {
		t.Errorf("the large member begins at byte %d", a.at)
	}
	holes.at += large
	a.at += large
	a.add("after", []byte("after"))
	for i := range 1 << 16 {
		a.add(fmt.Sprint(i), nil)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(holes, holes.at)
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 3+1<<16 || archive.File[1].UncompressedSize64 != large || archive.File[1].CompressedSize64 != large {
		t.Fatalf("%d members, the large one has %d bytes", len(archive.File), archive.File[1].UncompressedSize64)
	}
	for i, want := range []string{"before", "\x00\x00\x00", "after"} {
		at, err := archive.File[i].DataOffset()
		got := make([]byte, len(want))
		if _, errToo := holes.ReadAt(got, at); err != nil || errToo != nil || string(got) != want || at%64 != 0 {
			t.Errorf("member %d: %q at byte %d, %v, %v", i, got, at, err, errToo)
		}
	}
}

// A sparse is a file with holes.
type sparse struct {
	at    int64
	parts []piece
}

type piece struct {
	at   int64
	data []byte
}

func (s *sparse) Write(b []byte) (int, error) {
	s.parts = append(s.parts, piece{s.at, bytes.Clone(b)})
	s.at += int64(len(b))
	return len(b), nil
}

func (s *sparse) ReadAt(b []byte, at int64) (int, error) {
	if at >= s.at {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), s.at-at))
	clear(b[:n])
	first, _ := slices.BinarySearchFunc(s.parts, at, func(p piece, at int64) int { return cmp.Compare(p.at+int64(len(p.data)), at+1) })
	for _, p := range s.parts[first:] {
		from, to := max(p.at, at), min(p.at+int64(len(p.data)), at+int64(n))
		if p.at >= at+int64(n) {
			break
		}
		if from < to {
			copy(b[from-at:to-at], p.data[from-p.at:])
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
