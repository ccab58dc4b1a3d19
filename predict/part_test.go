package predict

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
)

// TestAssemble: predictions in parts become the file that an undivided run writes.
func TestAssemble(t *testing.T) {
	const n = 4
	qs := make([]questions.Question, 50)
	var ids []string
	var plain []eval.Prediction
	for i := range qs {
		qs[i] = questions.Question{ID: questions.NumberID(int64(i * 7 % 50)), Image: fmt.Sprint(i / 3), Sentence: "what?"}
		if i != 20 { // which could not be answered
			ids = append(ids, qs[i].ID.String())
			plain = append(plain, eval.Prediction{ID: qs[i].ID.String(), Answer: fmt.Sprint("answer ", i, " <é>")})
		}
	}
	var want bytes.Buffer
	if err := eval.WriteVQA(&want, ids, plain); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "out[1].json")
	header := PartHeader{Parts: n, Kind: questions.KindVQA, Questions: len(qs), SHA256: QuestionsSHA256(qs), By: "x"}
	write := func(i int, header PartHeader) {
		t.Helper()
		header.Part = i
		var records []PartRecord
		for _, k := range Part(qs, data.Part{Index: i, Of: n}) {
			records = append(records, PartRecord{Index: k, ID: qs[k].ID.String(), Answer: fmt.Sprint("answer ", k, " <é>"), Probability: 0.5, Skipped: k == 20})
		}
		if err := WritePart(path, header, records); err != nil {
			t.Fatal(err)
		}
	}
	says := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err := Assemble(path)
	says(err, "found no parts of it")
	for i := range n - 1 {
		write(i, header)
		if _, ok, err := AssembleAfter(path, data.Part{Index: i, Of: n}); ok || err != nil {
			t.Fatalf("after part %d: %v, %v", i, ok, err)
		}
	}
	_, err = Assemble(path)
	says(err, "of 4 parts 3/4 is missing")
	write(n-1, header)
	for range 2 {
		done, ok, err := AssembleAfter(path, data.Part{Index: 2, Of: n})
		if want := (Assembled{Parts: n, Answers: 49, Skipped: 1}); !ok || err != nil || done != want {
			t.Fatalf("%+v, %v, %v", done, ok, err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%s\nwant %s", got, want.Bytes())
		}
	}

	other := header
	other.By = "y"
	write(2, other)
	if _, err := Assemble(path); !errors.Is(err, ErrOtherRun) || !strings.Contains(err.Error(), "found answers by y, want x as in part 0/4") {
		t.Errorf("another model: %v", err)
	}
	other = header
	other.SHA256 = QuestionsSHA256(qs[:49])
	write(2, other)
	_, err = Assemble(path)
	says(err, "found questions 50")
	if err := os.Remove(data.PartPath(path, data.Part{Index: 2, Of: n})); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(data.PartPath(path, data.Part{Index: 1, Of: n}), data.PartPath(path, data.Part{Index: 2, Of: n})); err != nil {
		t.Fatal(err)
	}
	_, err = Assemble(path)
	says(err, "found part 1/4, want 2/4 as the file's name has it")
	says(data.Part{Index: 1, Of: 3}.FitsBeside(path), "found a file of 4 parts, want part 1/3")
}

func TestByIndex(t *testing.T) {
	for want, records := range map[string][]PartRecord{
		"found 1 records in all parts, want one for each of 2 questions": {{}},
		`question "b" (index 0) has two records`:                         {{}, {ID: "b"}},
	} {
		if _, err := byIndex(records, 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzPart(f *testing.F) {
	const head = `{"format":"lxmert predictions part","version":1,"part":1,"parts":3,"kind":"vqa","questions":9,"questions_sha256":"00","by":"x"}` + "\n"
	f.Add([]byte(head + `{"index":8,"id":"17","answer":"yes","probability":0.5}` + "\n" + `{"index":3,"id":"x","skipped":true}`))
	f.Add([]byte(head))
	f.Add([]byte(""))
	f.Add([]byte(strings.Replace(head, "9", "1e9", 1)))
	f.Fuzz(func(t *testing.T, content []byte) {
		header, records, err := parsePart(bytes.NewReader(content))
		if err != nil {
			return
		}
		if header.check() != nil {
			t.Fatalf("%+v", header)
		}
		path := filepath.Join(t.TempDir(), "x")
		part := data.Part{Index: header.Part, Of: header.Parts}
		if err := WritePart(path, header, records); err != nil {
			t.Fatal(err)
		}
		again, back, err := readPart(path, part)
		if err != nil || again != header || !reflect.DeepEqual(back, records) {
			t.Fatalf("%+v\n%+v\n%v", records, back, err)
		}
	})
}
