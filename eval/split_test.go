package eval

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"strings"
	"testing"
)

// some examples: from..to, three questions a picture.
func examples(from, to int) iter.Seq[Example] {
	return func(yield func(Example) bool) {
		for i := from; i < to; i++ {
			if !yield(Example{[]string{fmt.Sprint("picture ", i/3)}, fmt.Sprint("What is ", i, "?")}) {
				return
			}
		}
	}
}

// Names tell what is known of the data sets, under whichever of their names.
func TestSharedByName(t *testing.T) {
	for _, c := range []struct {
		a, b Split
		want Shared
	}{
		{Split{"vqa", "train"}, Split{"vqa", "train"}, SharesQuestions},
		{Split{"vqa", "train"}, Split{"vqa", "minival"}, SharesNothing},
		{Split{"vqa", "minival"}, Split{"vqa", "nominival"}, SharesNothing},
		{Split{"vqa", "minival"}, Split{"vqa", "val2014"}, SharesQuestions},
		{Split{"vqa", "valid"}, Split{"lxmert", "mscoco_nominival"}, SharesQuestions},
		{Split{"vqa", "minival"}, Split{"lxmert", "mscoco_nominival"}, SharesNothing},
		{Split{"gqa", "valid"}, Split{"lxmert", "vgnococo"}, SharesQuestions},
		{Split{"gqa", "val_all"}, Split{"gqa", "valid"}, SharesQuestions},
		{Split{"gqa", "valid"}, Split{"gqa", "train"}, SharesPictures},
		{Split{"gqa", "testdev"}, Split{"gqa", "train"}, SharesNothing},
		{Split{"gqa", "testdev"}, Split{"lxmert", "mscoco_train"}, SharesNothing},
		{Split{"gqa", "valid"}, Split{"vqa", "train"}, SharesPictures},
		{Split{"nlvr2", "dev"}, Split{"nlvr2", "valid"}, SharesQuestions},
		{Split{"nlvr2", "dev"}, Split{"nlvr2", "train"}, SharesNothing},
		{Split{"mine", "a"}, Split{"mine", "a"}, SharesQuestions},
		{Split{"mine", "a"}, Split{"mine", "b"}, SharesNothing},
	} {
		if got := sharedByName(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %v, want %v", c.a, c.b, got, c.want)
		}
		if got := sharedByName(c.b, c.a); got != c.want {
			t.Errorf("%v and %v: %v, want %v", c.b, c.a, got, c.want)
		}
	}
}

// What the published weights were pre-trained on is said of GQA's valid, and not of the splits that its authors evaluated on.
func TestOriginalPreTraining(t *testing.T) {
	for split, want := range map[Split]int{{"gqa", "valid"}: 3, {"gqa", "testdev"}: 0, {"vqa", "minival"}: 0, {"vqa", "train"}: 1, {"nlvr2", "dev"}: 0} {
		if got := Overlaps(OriginalPreTraining(), split, examples(0, 0)); len(got) != want {
			t.Errorf("%v: %v, want %d overlaps", split, got, want)
		}
	}
}

// Small sets are compared whole, whatever they are called and however they are written.
func TestOverlapsExact(t *testing.T) {
	trained := []Trained{NewTrained("finetune", Split{"mine", "train"}, examples(0, 3000))}
	for _, c := range []struct {
		from, to                         int
		inTexts, texts, inPics, pictures int
	}{
		{3000, 3300, 0, 0, 0, 0},
		{2999, 3299, 1, 300, 1, 101},
		{2950, 3050, 50, 100, 17, 34},
		{0, 3000, 3000, 3000, 1000, 1000},
	} {
		got := Overlaps(trained, Split{"mine", "valid"}, examples(c.from, c.to))
		if c.inPics == 0 {
			if len(got) != 0 {
				t.Errorf("%+v: %v", c, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Texts != (Found{c.inTexts, c.texts}) || got[0].Pictures != (Found{c.inPics, c.pictures}) || !got[0].Questions() {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	other := func(yield func(Example) bool) {
		_ = yield(Example{[]string{"picture 1"}, " WHAT  is 3? "}) && yield(Example{[]string{"picture 2"}, "What is 3?"}) &&
			yield(Example{[]string{"picture 1", "picture 1"}, "What is 3?"})
	}
	got := Overlaps(trained, Split{"mine", "valid"}, other)
	if len(got) != 1 || got[0].Texts != (Found{1, 3}) || got[0].Pictures != (Found{2, 2}) {
		t.Errorf("%+v", got)
	}
}

// Of large sets a sample is compared; its share is that of the whole within what chance allows.
func TestOverlapsSampled(t *testing.T) {
	const n = 300000
	record := NewTrained("pretrain", Split{"mine", "train"}, examples(0, n))
	if len(record.Texts.hashes) != sketchSize || record.Examples != n {
		t.Fatalf("%d hashes of %d examples", len(record.Texts.hashes), record.Examples)
	}
	got := Overlaps([]Trained{record}, Split{"mine", "valid"}, examples(n-30000, n+70000))
	if len(got) != 1 {
		t.Fatal(got)
	}
	// 100,000 · 4,096 / 300,000 are checked, and 0.3 of them are in.
	f := got[0].Texts
	if deviation := math.Abs(float64(f.Checked)-1365.3) / math.Sqrt(1365.3); deviation > 4 {
		t.Errorf("%d checked, %.1f deviations from 1365", f.Checked, deviation)
	}
	if deviation := math.Abs(f.share()-0.3) / math.Sqrt(0.3*0.7/float64(f.Checked)); deviation > 4 {
		t.Errorf("a share of %v, %.1f deviations from 0.3", f.share(), deviation)
	}
	if far := Overlaps([]Trained{record}, Split{"mine", "valid"}, examples(n+10, 2*n)); len(far) != 0 {
		t.Errorf("nothing in common, but %v", far)
	}
}

func TestOverlapWarns(t *testing.T) {
	trained := Trained{Split: Split{"gqa", "train"}, Stage: "finetune"}
	for _, c := range []struct {
		overlap Overlap
		want    string
	}{
		{Overlap{trained, SharesPictures, Found{}, Found{}},
			"the model has learned from gqa train (finetune), which is about pictures of this split: the score tells how it answers new questions about pictures it has seen"},
		{Overlap{trained, SharesQuestions, Found{}, Found{}},
			"the model has learned from gqa train (finetune), which holds questions of this split: the score does not tell how it answers new questions"},
		{Overlap{trained, SharesNothing, Found{1, 8}, Found{3, 4}},
			"the model has learned from gqa train (finetune), which holds 12.5% of the evaluated questions (1 of 8 checked) and " +
				"75.0% of the evaluated pictures (3 of 4 checked): the score does not tell how it answers new questions"},
		{Overlap{trained, SharesPictures, Found{0, 8}, Found{3, 4}},
			"the model has learned from gqa train (finetune), which holds 75.0% of the evaluated pictures (3 of 4 checked): " +
				"the score tells how it answers new questions about pictures it has seen"},
	} {
		if got := c.overlap.String(); got != c.want {
			t.Errorf("%s\nwant\n%s", got, c.want)
		}
	}
}

func TestTrainedJSON(t *testing.T) {
	for _, want := range [][]Trained{
		OriginalPreTraining(),
		{NewTrained("finetune", Split{"mine", "train"}, examples(0, 10000))},
		{NewTrained("finetune", Split{"mine", "none"}, examples(0, 0))},
	} {
		content, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) > 100000 {
			t.Errorf("%d bytes", len(content))
		}
		var got []Trained
		if err := json.Unmarshal(content, &got); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(got)
		if err != nil || string(again) != string(content) || got[0].Split != want[0].Split || got[0].Examples != want[0].Examples {
			t.Errorf("wrote %.200s, read and wrote %.200s", content, again)
		}
		for i := range got {
			if got[i].Texts != nil && len(got[i].Texts.hashes) > 0 && !reflect.DeepEqual(got[i], want[i]) {
				t.Error("another record came back")
			}
		}
	}
}

func TestSketchRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`null`:                                  "found null",
		`1`:                                     "found 1",
		`"*"`:                                   "illegal base64",
		`"AAAA"`:                                "sketch of 3 bytes",
		`"AAAAAAAAAAEAAAAAAAAAAQ=="`:            "hash 1 is not above the one before it",
		`"` + strings.Repeat("A", 100000) + `"`: "at most 4096",
		`"` + strings.Repeat("AAAA", 10925) + `"`: "at most 4096",
	} {
		var s Sketch
		if err := s.UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

// What is read as a sketch is written as it was.
func FuzzSketch(f *testing.F) {
	small, err := json.Marshal(NewTrained("finetune", Split{}, examples(0, 5)).Texts)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Add([]byte(`""`))
	f.Fuzz(func(t *testing.T, content []byte) {
		var s, again Sketch
		if json.Unmarshal(content, &s) != nil {
			return
		}
		written, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("read %v, wrote and read %v: %v", s, again, err)
		}
	})
}

func BenchmarkNewTrained(b *testing.B) {
	for b.Loop() {
		NewTrained("pretrain", Split{}, examples(0, 100000))
	}
}
