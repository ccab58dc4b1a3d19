package answers

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Golden: what the public VQA evaluation itself made of each answer.
func TestOfficialGolden(t *testing.T) {
	content, err := os.ReadFile("../../testdata/eval/vqa_processed_answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][2]string
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 300 {
		t.Fatalf("%d cases, want 300", len(cases))
	}
	for _, c := range cases {
		if got := Official(c[0]); got != c[1] {
			t.Errorf("Official(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

// Golden: what LXMERT's answer table made of each answer. Its answers are another project's, so they lie beside the repository.
func TestPretrainingGolden(t *testing.T) {
	content, err := os.ReadFile("../../../shared/golden/eval/lxmert_convert_ans.json")
	if err != nil {
		t.Skipf("no reference data beside the repository: %v", err)
	}
	var cases []struct{ Raw, Converted string }
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 200 {
		t.Fatalf("%d cases, want 200", len(cases))
	}
	for _, c := range cases {
		if got := Pretraining(c.Raw); got != c.Converted {
			t.Errorf("Pretraining(%q) = %q, want %q", c.Raw, got, c.Converted)
		}
	}
}

// The two forms differ as the package says.
func TestForms(t *testing.T) {
	for _, c := range [...]struct{ raw, official, pretraining string }{
		{"", "", ""},
		{"Black, white.", "black white", "black, white"},
		{"none", "0", "none"},
		{"zero", "0", "zero"},
		{"Ten", "10", "10"},
		{"a grey cat", "grey cat", "grey cat"},
		{"Grey.", "grey", "gray"},
		{"man and a woman", "man and woman", "man and a woman"},
		{"an the ", "", "the"},
		{"the a man", "man", "man"},
		{"dont", "don't", "dont"},
		{"\x1ctwo\x1f", "2", "\x1ctwo\x1f"},
		{"2\u00a0dogs", "2 dogs", "2\u00a0dogs"},
	} {
		if got := Official(c.raw); got != c.official {
			t.Errorf("Official(%q) = %q, want %q", c.raw, got, c.official)
		}
		if got := Pretraining(c.raw); got != c.pretraining {
			t.Errorf("Pretraining(%q) = %q, want %q", c.raw, got, c.pretraining)
		}
	}
}

// Each contraction lacks one apostrophe of its whole; one of the evaluation's entries adds nothing and takes it away.
func TestContractions(t *testing.T) {
	if len(contractions) != 114 {
		t.Errorf("%d contractions, want 114", len(contractions))
	}
	for short, whole := range contractions {
		if short != "somebody'd" && strings.Count(short, "'") != strings.Count(whole, "'")-1 {
			t.Errorf("%q stands for %q", short, whole)
		}
	}
}

// Whatever the answer, the official form is lower case without articles, marks or outer spaces.
func FuzzForms(f *testing.F) {
	for _, s := range []string{"", "The_5:30_pm.", "1,000 a.m.", "don't, .", "\xff İ", "'ow'sat", strings.Repeat("a.", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		official := Official(s)
		if strings.ContainsAny(official, marks) || official != Trim(official) || strings.Contains(official, "  ") {
			t.Errorf("Official(%q) = %q", s, official)
		}
		for word := range strings.SplitSeq(official, " ") {
			if word == "a" || word == "an" || word == "the" || word == "ten" {
				t.Errorf("Official(%q) = %q", s, official)
			}
		}
		if once := Pretraining(s); strings.ToLower(once) != once {
			t.Errorf("Pretraining(%q) = %q", s, once)
		}
	})
}

func BenchmarkOfficial(b *testing.B) {
	answers := []string{"yes", "2", "black and white", "t-shirt, jeans", "on the table", "dont know"}
	for i := 0; b.Loop(); i++ {
		Official(answers[i%len(answers)])
	}
}
