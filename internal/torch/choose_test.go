package torch

import (
	"reflect"
	"strings"
	"testing"
)

// Which of a file's dicts is the one with the weights.
func TestChoose(t *testing.T) {
	w := text2("w") + array2("f4", "<", []int{1}, "\x89", bytes2("1234"))
	weights := dict2(w)
	adam := text2("optimizer") + dict2(text2("state"), dict2(w))
	for name, c := range map[string]struct {
		value  string
		path   []string
		others int
	}{
		"the dict itself":            {weights, nil, 0},
		"with other things":          {dict2(w, text2("version"), number2(1), number2(7), "]"), nil, 0},
		"model":                      {dict2(text2("model"), weights), []string{"model"}, 0},
		"model and optimizer":        {dict2(adam, text2("model"), weights), []string{"model"}, 1},
		"any key":                    {dict2(text2("generator"), weights, text2("epoch"), number2(1)), []string{"generator"}, 0},
		"any key beside optimizer":   {dict2(adam, text2("generator"), weights), []string{"generator"}, 1},
		"model before a lone tensor": {dict2(w, text2("model"), weights), []string{"model"}, 1},
		"by rank":                    {dict2(text2("module"), weights, text2("model"), weights, text2("state_dict"), weights), []string{"state_dict"}, 2},
		"model in a state_dict":      {dict2(text2("state_dict"), dict2(text2("model"), weights)), []string{"state_dict", "model"}, 0},
		"an empty model":             {dict2(text2("model"), dict2(), text2("net"), weights), []string{"net"}, 0},
		"parts of a module":          {dict2(w, text2("encoder"), weights), nil, 1},
		"the same dict twice":        {dict2(text2("a"), weights+"q\x05", text2("b"), "h\x05"), []string{"a"}, 0},
		"the same tensor twice":      {dict2(w+"q\x05", text2("v"), "h\x05"), nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Parse([]byte(pickle2(c.value)))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(f.Path(), c.path) || f.Others() != c.others || f.Tensors()[0].Name != "w" {
				t.Errorf("path %q, %d others, want %q and %d", f.Path(), f.Others(), c.path, c.others)
			}
		})
	}
	for name, c := range map[string]struct{ value, want string }{
		"two":               {dict2(text2("a b"), weights, text2("c"), weights), `found 2 dicts of tensors ("a b", c), none of them under a key such as model or state_dict`},
		"none":              {dict2(text2("epoch"), number2(1), text2("args"), call2(global2("argparse", "Namespace")), number2(3), "N"), `found no dict of tensors, but a dict of epoch: a number, args: argparse.Namespace, "a number": None`},
		"an optimiser only": {dict2(adam), "found no dict of tensors, but a dict of optimizer: a dict of 1"},
		"many":              {dict2(strings.Repeat(text2("x")+"N", 20)), "x: None, and 12 more"},
		"nothing":           {dict2(), "an empty dict"},
		"a number":          {number2(1), "found a number, want a dict"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, []byte(pickle2(c.value)), c.want) })
	}
}

func TestSniff(t *testing.T) {
	for head, want := range map[string]Format{
		"": Unknown, "PK\x03\x04": Zip, "PK\x05\x06": Unknown, "\x80\x02\x8a\x0a" + legacyMagic + ".": Legacy, "\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00\x8a\x0a" + legacyMagic + ".": Legacy,
		"L" + legacyDigits + "L\n.": Legacy, "\x80\x02}": Pickle, "\x80\x05\x95": Pickle, "\x80\x06": Unknown, "\x80": Unknown, "(dp0\n": Pickle, "}q\x00(X": Pickle,
		"}q\x00\x00\x00\x00\x00\x00{\"a\":": Unknown, "\x80\x02\x00\x00\x00\x00\x00\x00{\"a\"": Unknown, "\x89HDF\r\n\x1a\n": Unknown, "{}": Unknown,
	} {
		if got := Sniff([]byte(head)); got != want {
			t.Errorf("%q is %v, want %v", head, got, want)
		}
	}
}
