package questions

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// No file makes a reader panic or go on for ever; each question it gives is sound, and what LXMERT's form can hold is
// written and read the same.
func FuzzReaders(f *testing.F) {
	f.Add(byte(0), vqaAsked)
	f.Add(byte(1), vqaAnnotated(annotation(42000, ten("cat", "a cat", 9)), annotation(42001, ten("yes", "no", 2))))
	f.Add(byte(2), `{"1": {"question": "Who?", "imageId": "n1", "isBalanced": true, "answer": "x", "types": {"structural": "query"}}}`)
	f.Add(byte(3), `{"sentence": "Two dogs.", "identifier": "test1-0-1-2", "label": "False"}`)
	f.Add(byte(4), `{"images": [{"file_name": "a.jpg", "id": 42}], "annotations": [{"image_id": 42, "id": 6, "caption": "A."}]}`)
	f.Add(byte(5), `[{"regions": [{"region_id": 1382, "phrase": "x"}], "id": 1}]`)
	f.Add(byte(6), `[{"id": 1, "qas": [{"question": "What?", "qa_id": 9, "answer": "Green."}]}]`)
	f.Add(byte(7), `[{"img_id": "a", "sent": "x", "label": {"yes": 1}, "question_id": 5}, {"img_id": "a", "sentf": {"vqa": ["x"]}, "labelf": {"vqa": [{}]}}]`)
	f.Add(byte(7), `[{"img0": "a", "img1": "b", "sent": "x", "label": 1, "identifier": "x-1"}]`)
	f.Add(byte(8), `{"image": "a", "question": "b", "answers": ["x", {"answer": "y"}]}`)
	f.Add(byte(9), "image,question,answer,answer2\na,\"b\",c,d\n")
	dir := f.TempDir()
	path, csv, asked, out := filepath.Join(dir, "x.json"), filepath.Join(dir, "x.csv"), filepath.Join(dir, "asked.json"), filepath.Join(dir, "out.json")
	if err := os.WriteFile(asked, []byte(vqaAsked), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind byte, content string) {
		seqs := []func() Seq{
			func() Seq { return VQA(path, "", nil) }, func() Seq { return VQA(asked, path, nil) }, func() Seq { return GQA(path, false) },
			func() Seq { return NLVR2(path, "valid") }, func() Seq { return COCO(path, "") }, func() Seq { return Regions(path) },
			func() Seq { return VGQA(path) }, func() Seq { return LXMERT(path) }, func() Seq { return Own(path, nil) }, func() Seq { return Own(csv, nil) },
		}
		kind %= byte(len(seqs))
		target := path
		if kind == 9 {
			target = csv
		}
		if err := os.WriteFile(target, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var good []Question
		n := 0
		for q, err := range Distinct(target, seqs[kind](), nil) {
			if n++; n > len(content)+4 {
				t.Fatalf("%d questions of %d bytes", n, len(content))
			}
			if err != nil {
				var bad *RecordError
				if !errors.As(err, &bad) {
					break
				}
				continue
			}
			if err := q.check(); err != nil {
				t.Errorf("%+v: %v", q, err)
			}
			good = append(good, q)
		}
		written, err := Write(out, func(yield func(Question, error) bool) {
			for _, q := range good {
				if !yield(q, nil) {
					return
				}
			}
		})
		if err != nil || written != len(good) {
			t.Fatalf("writing: %d, %v", written, err)
		}
		again := 0
		for q, err := range LXMERT(out) {
			if err != nil || q.Sentence != good[again].Sentence || q.Image != good[again].Image || len(q.Label) != len(good[again].Label) {
				t.Fatalf("wrote %+v, read %+v, %v", good[again], q, err)
			}
			again++
		}
	})
}
