package checkpoint

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// content is a file of that header, as it stands, and n bytes of tensors.
func content(header string, n int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	out = append(out, header...)
	return append(out, make([]byte, n)...)
}

// tensors is a header of one or several descriptions of tensors.
func tensors(descriptions ...string) string { return "{" + strings.Join(descriptions, ",") + "}" }

var refused = []struct {
	name    string
	content []byte
	want    []string // what the message must say
}{
	{"empty file", nil, []string{"0 bytes"}},
	{"seven bytes", make([]byte, 7), []string{"7 bytes"}},
	{"header of 2^60 bytes", binary.LittleEndian.AppendUint64(nil, 1<<60), []string{"1152921504606846976", "at most 100000000"}},
	{"header of 2^64-1 bytes", binary.LittleEndian.AppendUint64(nil, 1<<64-1), []string{"18446744073709551615"}},
	{"header beyond the end", content("{}", 0)[:9], []string{"2 bytes, but only 1 follow"}},
	{"empty header", content("", 0), []string{"want '{'"}},
	{"no JSON", content("hello", 0), []string{`begins with "h", want '{'`}},
	{"blank before the brace", content(" {}", 0), []string{"want '{'"}},
	{"a list", content("[]", 0), []string{"want '{'"}},
	{"broken JSON", content(`{"a":`, 0), []string{"no JSON"}},
	{"not UTF-8", content("{\"\xff\":1}", 0), []string{"UTF-8"}},
	{"two objects", content("{}{}", 0), []string{"want nothing"}},
	{"zip", append([]byte("PK\x03\x04"), make([]byte, 100)...), []string{"zip"}},
	{"pickle", []byte("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), []string{"pickle"}},
	{"HDF5", append([]byte("\x89HDF\r\n\x1a\n"), make([]byte, 100)...), []string{"HDF5"}},
	{"LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), []string{"git lfs pull"}},
	{"web page", []byte("<!DOCTYPE html><title>404</title>"), []string{"web page"}},
	{"JSON file", []byte("{\n  \"hidden_size\": 768\n}\n"), []string{"a JSON file"}},
	{"tensor is a number", content(tensors(`"a":1`), 0), []string{"tensor a", "found 1"}},
	{"tensor twice", content(tensors(f32("a", "1", 0, 4), f32("a", "1", 4, 8)), 8), []string{"tensor a is listed twice"}},
	{"key twice", content(tensors(`"a":{"dtype":"F32","dtype":"F32"}`), 0), []string{"tensor a", "dtype is given twice"}},
	{"unknown key", content(tensors(`"a":{"kind":"F32"}`), 0), []string{"tensor a", "unknown key kind"}},
	{"missing key", content(tensors(`"a":{"dtype":"F32","shape":[]}`), 4), []string{"tensor a", "data_offsets is missing"}},
	{"unknown type", content(tensors(`"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}`), 4), []string{"tensor a: dtype: found F31"}},
	{"type is a number", content(tensors(`"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}`), 4), []string{"dtype: found 32, want a string"}},
	{"wrong type for the bytes", content(tensors(`"a":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}`), 4), []string{"tensor a", "are 4 bytes, want 2 for F16 [1]"}},
	{"wrong shape for the bytes", content(tensors(f32("a", "2,3", 0, 4)), 4), []string{"tensor a", "are 4 bytes, want 24 for F32 [2 3]"}},
	{"negative dimension", content(tensors(f32("a", "-1", 0, 4)), 4), []string{"tensor a: shape: found -1"}},
	{"fraction of a dimension", content(tensors(f32("a", "1.0", 0, 4)), 4), []string{"shape: found 1.0"}},
	{"dimension in a string", content(tensors(f32("a", `"1"`, 0, 4)), 4), []string{`shape: found "1"`}},
	{"null dimension", content(tensors(f32("a", "null", 0, 4)), 4), []string{"shape: found null"}},
	{"dimension of 2^64", content(tensors(f32("a", "18446744073709551616", 0, 4)), 4), []string{"shape: found 18446744073709551616"}},
	{"overflowing product", content(tensors(f32("a", "4294967296,4294967296", 0, 0)), 0), []string{"there is no F32 tensor of shape [4294967296 4294967296]"}},
	{"overflowing product with a 0", content(tensors(f32("a", "4294967296,4294967296,0", 0, 0)), 0), []string{"there is no F32 tensor"}},
	{"overflowing bytes", content(tensors(f32("a", "4611686018427387904", 0, 0)), 0), []string{"there is no F32 tensor"}},
	{"65 dimensions", content(tensors(f32("a", strings.Repeat("1,", 64)+"1", 0, 4)), 4), []string{"more than 64"}},
	{"half a byte", content(tensors(`"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}`), 1), []string{"there is no F4 tensor of shape [3]"}},
	{"three offsets", content(tensors(`"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}`), 4), []string{"more than 2"}},
	{"one offset", content(tensors(`"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}`), 4), []string{"found 1 numbers, want 2"}},
	{"offsets reversed", content(tensors(f32("a", "1", 4, 0)), 4), []string{"ends at byte 0, before it begins at 4"}},
	{"negative offset", content(tensors(f32("a", "1", -4, 0)), 4), []string{"data_offsets: found -4"}},
	{"out of range", content(tensors(f32("a", "1", 0, 4), f32("b", "1", 4, 8)), 4), []string{"tensor b ends at byte 8, but only 4 follow"}},
	{"far out of range", content(tensors(f32("a", "1", 9223372036854775803, 9223372036854775807)), 4), []string{"tensor a begins at byte 9223372036854775803, want 0"}},
	{"overlap", content(tensors(f32("a", "2", 0, 8), f32("b", "2", 4, 12)), 12), []string{"tensor b begins at byte 4, within tensor a, which ends at 8"}},
	{"same place", content(tensors(f32("a", "1", 0, 4), f32("b", "1", 0, 4)), 4), []string{"tensor b", "within tensor a"}},
	{"hole", content(tensors(f32("a", "1", 0, 4), f32("b", "1", 8, 12)), 12), []string{"tensor b begins at byte 8, want 4: there is a hole of 4"}},
	{"hole before the first", content(tensors(f32("a", "1", 4, 8)), 8), []string{"tensor a", "hole of 4"}},
	{"rest", content(tensors(f32("a", "1", 0, 4)), 5), []string{"5 bytes follow the header, but its tensors end at byte 4"}},
	{"cut off", content(tensors(f32("a", "2", 0, 8)), 7), []string{"tensor a ends at byte 8, but only 7 follow", "cut off"}},
	{"metadata is a list", content(`{"__metadata__":[]}`, 0), []string{"__metadata__", "found [, want '{'"}},
	{"metadata with a number", content(`{"__metadata__":{"epoch":3}}`, 0), []string{"__metadata__: epoch: found 3, want a string"}},
	{"metadata with an object", content(`{"__metadata__":{"epoch":{}}}`, 0), []string{"__metadata__: epoch: found {, want a string"}},
	{"metadata twice", content(`{"__metadata__":{},"__metadata__":{}}`, 0), []string{"__metadata__ is listed twice"}},
	{"metadata key twice", content(`{"__metadata__":{"a":"1","a":"2"}}`, 0), []string{"__metadata__: a is listed twice"}},
	{"deep nesting", content(`{"a":`+strings.Repeat("[", 1_000_000), 0), []string{"tensor a: found [, want '{'"}},
	{"name for the terminal", content("{\"\\u001b[2J\":1}", 0), []string{`tensor "\x1b[2J"`}},
}

func f32(name, shape string, begin, end int64) string {
	return `"` + name + `":{"dtype":"F32","shape":[` + shape + `],"data_offsets":[` + strconv.FormatInt(begin, 10) + `,` + strconv.FormatInt(end, 10) + `]}`
}

// What contradicts itself is refused with a message that names file, tensor, what was
// found and what was expected; mapped or read.
func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.safetensors")
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			for _, open := range []func(string) (*File, error){Open, Load} {
				f, err := open(path)
				if err == nil {
					f.Close()
					t.Fatal("was accepted")
				}
				for _, want := range append(c.want, path) {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("got %q, want it to say %q", err, want)
					}
				}
			}
		})
	}
}

// What is unusual but right is accepted.
func TestOpenAccepts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "good.safetensors")
	for name, content := range map[string][]byte{
		"no tensors":         content("{}", 0),
		"padded":             content("{}      ", 0),
		"newlines":           content("{\n}\n", 0),
		"no numbers":         content(tensors(f32("a", "0,3", 0, 0), f32("b", "1", 0, 4)), 4),
		"scalar":             content(tensors(f32("a", "", 0, 4)), 4),
		"any order":          content(tensors(f32("b", "1", 4, 8), f32("a", "1", 0, 4)), 8),
		"other order of key": content(tensors(`"a":{"data_offsets":[0,2],"shape":[1],"dtype":"BF16"}`), 2),
		"packed":             content(tensors(`"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}`), 3),
		"no name":            content(tensors(f32("", "1", 0, 4)), 4),
		"metadata last":      content(tensors(f32("a", "1", 0, 4), `"__metadata__":{"format":"pt"}`), 4),
		"not aligned":        content(tensors(f32("a", "1", 0, 4))+" ", 4),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, tensor := range all(t, f) {
				if len(tensor.Data) != tensor.ByteLen() {
					t.Errorf("tensor %q has %d bytes, want %d", tensor.Name, len(tensor.Data), tensor.ByteLen())
				}
				if tensor.DType == F32 {
					if got, err := tensor.Float32s(); err != nil || len(got) != tensor.Len() {
						t.Errorf("tensor %q: %v, %v", tensor.Name, got, err)
					}
				}
			}
		})
	}
}

// A file cut off anywhere is refused; a flipped bit is refused or changes no more than a
// number, a name or a remark. Nothing panics.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.safetensors")
	values := []float32{1, 2, 3, 4, 5, 6}
	a, _ := FromFloat32s("a.weight", []int{2, 3}, values)
	b, _ := FromFloat32sAs(BF16, "b.bias", []int{6}, values)
	if err := Write(good, []Tensor{a, b}, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.safetensors")
	try := func(content []byte) error {
		if err := os.WriteFile(bad, content, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Open(bad)
		if err != nil {
			return err
		}
		defer f.Close()
		for _, tensor := range all(t, f) {
			tensor.Float32s()
			tensor.Int64s()
		}
		return nil
	}
	for n := range whole {
		if err := try(whole[:n]); err == nil {
			t.Errorf("cut off after %d of %d bytes: was accepted", n, len(whole))
		}
	}
	for bit := range 8 * len(whole) {
		flipped := append([]byte(nil), whole...)
		flipped[bit/8] ^= 1 << (bit % 8)
		try(flipped)
	}
}
