package pickle

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
)

// What Python 3.11 makes of {391895: 0, 100: 1, "COCO_x": 2, 5: 3, 6: 4} in protocols 0, 1, 2 and 4.
var pickled = []string{
	"KGRwMApJMzkxODk1CkkwCnNJMTAwCkkxCnNWQ09DT194CnAxCkkyCnNJNQpJMwpzSTYKSTQKcy4=",
	"fXEAKErX+gUASwBLZEsBWAYAAABDT0NPX3hxAUsCSwVLA0sGSwR1Lg==",
	"gAJ9cQAoStf6BQBLAEtkSwFYBgAAAENPQ09feHEBSwJLBUsDSwZLBHUu",
	"gASVIwAAAAAAAAB9lChK1/oFAEsAS2RLAYwGQ09DT194lEsCSwVLA0sGSwR1Lg==",
}

func TestReadDict(t *testing.T) {
	want := []Pair{{int64(391895), int64(0)}, {int64(100), int64(1)}, {"COCO_x", int64(2)}, {int64(5), int64(3)}, {int64(6), int64(4)}}
	for i, text := range pickled {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadDict(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("number %d: %v, %v", i, got, err)
		}
		for cut := range b {
			if got, err := ReadDict(b[:cut]); err == nil {
				t.Errorf("number %d cut off at %d: %v", i, cut, got)
			}
		}
	}
	if got, err := ReadDict([]byte("(lp0\nS'a'\np1\nag1\naL7L\na\x8a\x01\xffa.")); err != nil || !reflect.DeepEqual(got, []Pair{{"a", int64(0)}, {"a", int64(1)}, {int64(7), int64(2)}, {int64(-1), int64(3)}}) {
		t.Errorf("a list: %v, %v", got, err)
	}
}

func TestReadDictRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"cos\nsystem\n(S'true'\ntR.": `global "os.system"`,
		"I1\n.":                      "no dict and no list",
		"}}s.":                       "nothing is on the stack",
		"}(}I1\nu.":                  "other things than numbers",
		"}(I1\nu.":                   "a key has no value",
		"]I1\nI2\ns.":                "wants a dict on the stack",
		"u.":                         "no mark",
		"g5\n.":                      "nothing is remembered",
		"Ix\n.":                      "want a whole number",
		"Va\\u004\n.":                "want 4 digits",
		"":                           "cut off",
	} {
		if got, err := ReadDict([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}

// No pickle makes the reader panic, and none gives more than its bytes could say.
func FuzzReadDict(f *testing.F) {
	for _, text := range pickled {
		b, _ := base64.StdEncoding.DecodeString(text)
		f.Add(b)
	}
	f.Add([]byte("(lp0\nS'a'\np1\nag1\naL7L\na\x8a\x01\xffa."))
	f.Fuzz(func(t *testing.T, text []byte) {
		pairs, err := ReadDict(text)
		if err == nil && len(pairs) > len(text) {
			t.Errorf("%d pairs of %d bytes", len(pairs), len(text))
		}
	})
}
