package numpy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// npy is a file as NumPy writes it.
func npy(descr, shape string, fortran bool, data ...any) []byte {
	order := "False"
	if fortran {
		order = "True"
	}
	text := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	for (len(text)+11)%64 != 0 {
		text += " "
	}
	out := append([]byte(magic+"\x01\x00"), byte(len(text)+1), byte((len(text)+1)>>8))
	out = append(out, text+"\n"...)
	var b bytes.Buffer
	for _, v := range data {
		var byteOrder binary.ByteOrder = binary.LittleEndian
		if strings.Contains(descr, ">") {
			byteOrder = binary.BigEndian
		}
		binary.Write(&b, byteOrder, v)
	}
	return append(out, b.Bytes()...)
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		file   []byte
		shape  []int
		floats []float32
	}{
		{npy("'<f4'", "(2, 2)", false, []float32{1, 2.5, -3, 4}), []int{2, 2}, []float32{1, 2.5, -3, 4}},
		{npy("'<f8'", "(3,)", false, []float64{1, 2.5, -3}), []int{3}, []float32{1, 2.5, -3}},
		{npy("'>f4'", "(2,)", false, []float32{1, 2.5}), []int{2}, []float32{1, 2.5}},
		{npy("'<f2'", "(2,)", false, []uint16{0x3C00, 0xC000}), []int{2}, []float32{1, -2}},
		{npy("'<i8'", "()", false, int64(-640)), nil, []float32{-640}},
		{npy("'<i4'", "(1L,)", false, int32(-640)), []int{1}, []float32{-640}},
		{npy("'|u1'", "(2,)", false, []uint8{1, 255}), []int{2}, []float32{1, 255}},
		{npy("'|b1'", "(2,)", false, []uint8{1, 0}), []int{2}, []float32{1, 0}},
		{npy("'<f4'", "(2, 3)", true, []float32{1, 4, 2, 5, 3, 6}), []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}},
		{npy("'<f4'", "(0, 3)", true), []int{0, 3}, []float32{}},
	} {
		a, err := Read(bytes.NewReader(c.file))
		if err != nil {
			t.Errorf("%q: %v", c.file[:80], err)
			continue
		}
		floats, err := a.Float32s()
		if err != nil || !reflect.DeepEqual(a.Shape, c.shape) || !reflect.DeepEqual(floats, c.floats) {
			t.Errorf("%q: %v %v, %v; want %v %v", c.file[:80], a.Shape, floats, err, c.shape, c.floats)
		}
		ints, err := a.Int64s()
		for i, v := range c.floats {
			if v != float32(int(v)) {
				if err == nil || !strings.Contains(err.Error(), "want a whole number") {
					t.Errorf("%v as whole numbers: %v, %v", c.floats, ints, err)
				}
				break
			}
			if err == nil && ints[i] != int64(v) {
				t.Errorf("%v as whole numbers: %v", c.floats, ints)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := npy("'<f4'", "(2,)", false, []float32{1, 2})
	for want, file := range map[string][]byte{
		"want a NumPy array":       []byte("PK\x03\x04...."),
		"version 9":                append([]byte(magic+"\x09"), good[7:]...),
		"found 4 bytes, want 8":    good[:len(good)-4],
		"found more than 8 bytes":  append(bytes.Clone(good), 0),
		"unexpected EOF":           good[:50],
		"want {'descr'":            bytes.Replace(good, []byte("descr"), []byte("dross"), 1),
		"found '<c8'":              npy("'<c8'", "(2,)", false),
		"found '<f3'":              npy("'<f3'", "(2,)", false),
		"found [('a', '<f4')]":     npy("[('a', '<f4')]", "(2,)", false),
		"found (99999999999, 99)":  npy("'<f4'", "(99999999999, 99)", false),
		"found (99999999999999999": npy("'<f4'", "(99999999999999999999999)", false),
		"a pickle":                 npy("'|O'", "()", false, []byte("\x80\x03")),
	} {
		if _, err := Read(bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	a, err := Read(bytes.NewReader(npy("'<f8'", "(1,)", false, 1e300)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Float32s(); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("1e300: %v", err)
	}
}

// archive is an .npz with these members.
func archive(t testing.TB, members ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i].(string))
		if err != nil {
			t.Fatal(err)
		}
		w.Write(members[i+1].([]byte))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadNPZ(t *testing.T) {
	x := npy("'<f4'", "(2,)", false, []float32{1, 2})
	file := archive(t, "x.npy", x, "info.npy", npy("'|O'", "()", false))
	got, err := ReadNPZ(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(got) != 2 || got["x"].Len() != 2 || got["info"] != nil {
		t.Errorf("%v, %v", got, err)
	}
	for want, file := range map[string][]byte{
		`"x" is there twice`:     archive(t, "x.npy", x, "x.npy", x),
		`found "y.txt"`:          archive(t, "y.txt", x),
		`array "x": found "none`: archive(t, "x.npy", []byte("none of it")),
		"not a valid zip":        []byte("x"),
	} {
		if _, err := ReadNPZ(bytes.NewReader(file), int64(len(file))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if errors.Is(err, ErrObjects) {
		t.Error("objects are an error")
	}
}

// No file makes the reader panic or gives more elements than bytes.
func FuzzRead(f *testing.F) {
	f.Add(npy("'<f4'", "(2, 3)", true, []float32{1, 4, 2, 5, 3, 6}))
	f.Add(npy("'|O'", "()", false, []byte("\x80\x03")))
	f.Add(npy("'>i8'", "(1, 0, 2)", true))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		if a.Len() > len(file) {
			t.Errorf("%d elements of %d bytes", a.Len(), len(file))
		}
		if values, err := a.Float32s(); err == nil && len(values) != a.Len() {
			t.Errorf("%d values, want %d", len(values), a.Len())
		}
		a.Int64s()
	})
}
