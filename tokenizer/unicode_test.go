package tokenizer

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

type unicodeData struct {
	Ranges         map[string][][2]rune         `json:"ranges"`
	Maps           map[string]map[string]string `json:"maps"`
	CombiningClass [][3]rune                    `json:"combining_class"`
}

func readUnicode(t *testing.T, name string) *unicodeData {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var d unicodeData
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// set spreads one list of ranges over all code points.
func (d *unicodeData) set(name string) []bool {
	in := make([]bool, utf8.MaxRune+1)
	for _, r := range d.Ranges[name] {
		for c := r[0]; c <= r[1]; c++ {
			in[c] = true
		}
	}
	return in
}

// mapping returns what each character becomes, "" and false where it stays.
func (d *unicodeData) mapping(t *testing.T, name string) map[rune]string {
	t.Helper()
	m := map[rune]string{}
	for hex, to := range d.Maps[name] {
		var r rune
		for _, c := range hex {
			r = r<<4 | rune(strings.IndexRune("0123456789abcdef", c))
		}
		m[r] = to
	}
	if len(m) == 0 {
		t.Fatalf("no map %s", name)
	}
	return m
}

func eachCodePoint(do func(r rune)) int {
	n := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if utf8.ValidRune(r) {
			do(r)
			n++
		}
	}
	return n
}

// Every code point, under every combination of options, through both normalisers.
func TestFastCodePoints(t *testing.T) {
	d := readUnicode(t, "fast_char_classes.json")
	gone, space, han := d.set("removed"), d.set("to_space"), d.set("chinese")
	blank, punct := d.set("pre_whitespace"), d.set("punctuation")
	stripped, lower := d.mapping(t, "strip_accents"), d.mapping(t, "lowercase")
	classes := fastClasses()
	n := eachCodePoint(func(r rune) {
		if got := classes[r]&white != 0; got != blank[r] {
			t.Errorf("%U: white space %v, want %v", r, got, blank[r])
		}
		if got := classes[r]&punctuation != 0; got != punct[r] {
			t.Errorf("%U: punctuation %v, want %v", r, got, punct[r])
		}
	})
	if n != 0x110000-2048 {
		t.Fatalf("%d code points", n)
	}
	var got, plain normalized
	for options := range 16 {
		clean, spaced, strip, low := options&1 != 0, options&2 != 0, options&4 != 0, options&8 != 0
		normalizer := newNormalizer(clean, spaced, strip, low)
		eachCodePoint(func(r rune) {
			want := string(r)
			switch {
			case clean && gone[r]:
				want = ""
			case clean && space[r]:
				want = " "
			}
			if spaced && han[r] {
				want = " " + want + " "
			}
			if strip {
				want = replaceEach(want, func(r rune) string {
					if to, ok := stripped[r]; ok {
						return to
					}
					if 0xAC00 <= r && r <= 0xD7A3 { // by formula, as the data's README says
						s := r - 0xAC00
						jamo := []rune{0x1100 + s/588, 0x1161 + s%588/28, 0x11A7 + s%28}
						return string(jamo[:2+min(1, s%28)])
					}
					return string(r)
				})
			}
			if low {
				want = replaceEach(want, func(r rune) string {
					if to, ok := lower[r]; ok {
						return to
					}
					return string(r)
				})
			}
			text := string(r)
			got.reset()
			normalizer.apply(&got, text, 0)
			plain.reset()
			normalizer.plain(&plain, text, 0)
			if string(got.text) != want || string(plain.text) != want {
				t.Errorf("%U, clean %v chinese %v strip %v lower %v: got %+q and plainly %+q, want %+q", r, clean, spaced, strip, low, got.text, plain.text, want)
			}
			for _, s := range got.spans {
				if s != (Span{0, int32(len(text))}) {
					t.Errorf("%U: covers %v, want the whole character", r, s)
				}
			}
		})
	}
}

func replaceEach(s string, to func(rune) string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(to(r))
	}
	return b.String()
}

func TestPythonCodePoints(t *testing.T) {
	d := readUnicode(t, "unicode14.json")
	classes := pythonClasses()
	for name, bit := range map[string]class{
		"control": pyControl, "punctuation": pyPunctuation, "nonspacing_mark": pyMark, "space_separator": pySeparator,
		"isspace": pySpace, "case_ignorable": pyIgnorable, "cased": pyCased,
	} {
		want := d.set(name)
		eachCodePoint(func(r rune) {
			if got := classes[r]&bit != 0; got != want[r] {
				t.Errorf("%U: %s is %v, want %v", r, name, got, want[r])
			}
		})
	}
	combining := map[rune]uint8{}
	for _, r := range d.CombiningClass {
		for c := r[0]; c <= r[1]; c++ {
			combining[c] = uint8(r[2])
		}
	}
	decomposed, lower := d.mapping(t, "decompose"), d.mapping(t, "lowercase")
	eachCodePoint(func(r rune) {
		if got := combiningClass(r); got != combining[r] {
			t.Errorf("%U: combining class %d, want %d", r, got, combining[r])
		}
		want, ok := decomposed[r]
		if !ok {
			want = string(r)
		}
		if hangulFirst <= r && r <= hangulLast {
			want = string(appendDecomposed(nil, r))
		}
		var got []rune
		for _, m := range decompose([]rune{r}) {
			got = append(got, m.r)
		}
		if string(got) != want {
			t.Errorf("%U: NFD %+q, want %+q", r, string(got), want)
		}
		low, ok := lower[r]
		if !ok {
			low = string(r)
		}
		if got := lowerPython(string(r)); got != low {
			t.Errorf("%U: lower case %+q, want %+q", r, got, low)
		}
		// What NFC makes of a decomposition decomposes to it again, and stays as it is.
		once := nfc([]rune(want))
		if twice := nfc(once); string(twice) != string(once) {
			t.Errorf("%U: NFC is %+q, and of that %+q", r, string(once), string(twice))
		}
	})
	for pair, whole := range d.Maps["compose"] {
		if got := string(nfc([]rune(pair))); got != whole {
			t.Errorf("NFC of %+q is %+q, want %+q", pair, got, whole)
		}
	}
}

func TestNFC(t *testing.T) {
	// From unicodedata.normalize("NFC", …) of Python 3.11.
	for _, c := range [][2]string{
		{"e\u0301", "\u00e9"}, {"e\u0323\u0302", "\u1ec7"}, {"e\u0302\u0323", "\u1ec7"}, {"a\u0327\u0301", "\u00e1\u0327"},
		{"\u1112\u1161\u11ab", "\ud55c"}, {"\ud558\u11ab", "\ud55c"}, {"\ud55c\u11ab", "\ud55c\u11ab"},
		{"\u0344", "\u0308\u0301"}, {"\u212b", "\u00c5"}, {"\u0958", "\u0915\u093c"}, {"\u0301e", "\u0301e"},
		{"a\u0301\u0301", "\u00e1\u0301"}, {"\u0f71\u0f72\u0f74", "\u0f71\u0f72\u0f74"}, {"s\u0323\u0307", "\u1e69"}, {"s\u0307\u0323", "\u1e69"},
		{"\U000110a5\U000110ba", "\U000110ab"}, {"\u09c7\u09be", "\u09cb"},
		{strings.Repeat("\u0301", 40) + "\u0323", "\u0323" + strings.Repeat("\u0301", 40)}, // no grapheme joiner after 30
	} {
		if got := string(nfc([]rune(c[0]))); got != c[1] {
			t.Errorf("NFC of %+q is %+q, want %+q", c[0], got, c[1])
		}
	}
}

func TestLowerPython(t *testing.T) {
	// From str.lower of Python 3.11.
	for _, c := range [][2]string{
		{"\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"},
		{"\u039f\u0394\u039f\u03a3.", "\u03bf\u03b4\u03bf\u03c2."},
		{"\u03a3", "\u03c3"},
		{"\u0391\u03a3\u0391", "\u03b1\u03c3\u03b1"},
		{"\u0391.\u03a3", "\u03b1.\u03c2"},
		{"\u0391\u03a3'\u0391", "\u03b1\u03c3'\u03b1"},
		{"\u0130", "i\u0307"},
		{"A\u03a3\u0301", "a\u03c2\u0301"},
		{"A\u0301\u03a3 B", "a\u0301\u03c2 b"},
		{"1\u03a3", "1\u03c3"},
		{"\u03a3\u03a3", "\u03c3\u03c2"},
	} {
		if got := lowerPython(c[0]); got != c[1] {
			t.Errorf("%q in lower case is %q, want %q", c[0], got, c[1])
		}
	}
}

// Marks that are kept, and marks that are not, change places; the places they cover do not.
func TestReorderedMarks(t *testing.T) {
	n := newNormalizer(true, true, true, true)
	for _, c := range []struct {
		text, want string
		spans      []Span // of the characters of want
	}{
		{"e\u302e x", "e\u302e x", []Span{{0, 1}, {1, 4}, {4, 5}, {5, 6}}},
		// U+302E (class 224) comes before U+0301 (230), which goes, and gets its place.
		{"e\u0301\u302ex", "e\u302ex", []Span{{0, 1}, {1, 3}, {6, 7}}},
		{"\u00e9\u302ex", "e\u302ex", []Span{{0, 2}, {2, 5}, {5, 6}}},
		// U+1D165 (216) before U+302E (224): each covers where the other stood.
		{"e\u302e\U0001d165", "e\U0001d165\u302e", []Span{{0, 1}, {1, 4}, {4, 8}}},
	} {
		var got normalized
		n.apply(&got, c.text, 0)
		if string(got.text) != c.want {
			t.Errorf("%+q becomes %+q, want %+q", c.text, got.text, c.want)
			continue
		}
		i := 0
		for at, r := range c.want {
			if got.spans[at] != c.spans[i] {
				t.Errorf("%+q: %+q covers %v, want %v", c.text, r, got.spans[at], c.spans[i])
			}
			i++
		}
	}
}

// tables_gen.go is what its generator makes of the data beside it.
func TestTablesAreGenerated(t *testing.T) {
	out := filepath.Join(t.TempDir(), "tables.go")
	if message, err := exec.Command("go", "run", "./internal/gentables", "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, message)
	}
	want, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("tables_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("tables_gen.go is not what go generate makes; run it")
	}
}
