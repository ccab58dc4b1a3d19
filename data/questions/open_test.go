package questions

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpen: every form is recognised by its content, whatever the file is called, with answers and without.
func TestOpen(t *testing.T) {
	for name, test := range map[string]struct {
		kind       Kind
		file, text string
		form       Form
		ids        string
		image      string
		labelled   bool
	}{
		"LXMERT": {KindVQA, "a.json", `[{"img_id": "A", "label": {"yes": 1}, "question_id": 7, "sent": "Why?"}, {"img_id": "A", "question_id": 8, "sent": "Who?"}]`,
			FormLXMERT, "7 8", "A", true},
		"LXMERT's GQA": {KindGQA, "valid", `[{"img_id": "A", "sent": "Why?", "question_id": "07"}]`, FormLXMERT, "07", "A", false},
		"LXMERT's NLVR2": {KindNLVR2, "a.json", `[{"identifier": "dev-1-0-0", "img0": "A", "img1": "B", "label": 1, "sent": "Both.", "uid": "nlvr2_valid_0"}]`,
			FormLXMERT, "dev-1-0-0", "A", true},
		"VQA": {KindVQA, "a.json", `{"info": {"year": 2017}, "license": {"url": ""}, "data_subtype": "test2015", "questions": [{"image_id": 9, "question": "Why?", "question_id": 90}]}`,
			FormVQA, "90", "COCO_test2015_000000000009", false},
		"VQA, questions first": {KindVQA, "a.json", `{"questions": [{"image_id": 9, "question": "Why?", "question_id": 90}], "data_subtype": "val2014"}`,
			FormVQA, "90", "COCO_val2014_000000000009", false},
		"GQA":         {KindGQA, "a.json", ` {"007": {"semantic": [], "imageId": "24", "question": "Why?", "answer": "yes", "isBalanced": true}}`, FormGQA, "007", "24", true},
		"GQA's test":  {KindGQA, "a.json", `{"007": {"imageId": "n24", "question": "Why?"}}`, FormGQA, "007", "n24", false},
		"NLVR2":       {KindNLVR2, "a.json", `{"validation": {"6": "True"}, "sentence": "Both.", "label": "True", "identifier": "dev-1-0-0"}` + "\n", FormNLVR2, "dev-1-0-0", "dev-1-0-img0", true},
		"NLVR2's own": {KindNLVR2, "a.jsonl", `{"sentence": "Both.", "identifier": "test2-1-0-0"}` + "\n" + `{"sentence": "Each.", "identifier": "test2-1-1-0"}`, FormNLVR2, "test2-1-0-0 test2-1-1-0", "test2-1-0-img0", false},
		"table":       {KindVQA, "a.CSV", "image,question,id,answer\nA,Why?,x7,yes\n", FormOwn, "x7", "A", true},
		"lines":       {KindGQA, "a.jsonl", `{"image": "A", "question": "Why?"}` + "\n" + `{"image": "B", "question": "Who?"}`, FormOwn, "0 1", "A", false},
		"list":        {KindVQA, "a.json", `[{"img_id": "A", "sent": "Why?", "answers": ["yes"]}]`, FormOwn, "0", "A", true},
		"mark":        {KindVQA, "a.json", "\ufeff" + `[{"img_id": "A", "question_id": 7, "sent": "Why?"}]`, FormLXMERT, "7", "A", false},
		"empty list":  {KindVQA, "a.json", `[]`, FormLXMERT, "", "", false},
		"no members":  {KindGQA, "a.json", `{}`, FormGQA, "", "", false},
	} {
		seq, form, err := Open(test.kind, save(t, test.file, test.text), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if form != test.form {
			t.Errorf("%s: form %s, want %s", name, form, test.form)
		}
		var ids []string
		first := Question{}
		for q, err := range seq {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if ids = append(ids, q.ID.String()); len(ids) == 1 {
				first = q
			}
		}
		if got := strings.Join(ids, " "); got != test.ids || first.Image != test.image || (first.Label != nil || first.Truth != nil) != test.labelled {
			t.Errorf("%s: ids %q, the first %+v", name, got, first)
		}
	}
}

// TestOpenAnnotated: VQA's annotations are VQA's alone.
func TestOpenAnnotated(t *testing.T) {
	asked := save(t, "q.json", `{"data_subtype": "val2014", "questions": [{"image_id": 9, "question": "Why?", "question_id": 90}]}`)
	annotated := save(t, "a.json", `{"annotations": [{"question_id": 90, "answers": [{"answer": "yes"}]}]}`)
	seq, _, err := Open(KindVQA, asked, annotated)
	if err != nil {
		t.Fatal(err)
	}
	for q, err := range seq {
		if best, ok := q.Best(); err != nil || !ok || best != "yes" {
			t.Errorf("%+v, %v", q, err)
		}
	}
	if _, _, err := Open(KindGQA, save(t, "g.json", `{}`), annotated); err == nil || !strings.Contains(err.Error(), "annotations are VQA's") {
		t.Errorf("annotations of GQA: %v", err)
	}
}

// TestOpenRefuses: another file of the data set, or of another, is named for what it is.
func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		kind       Kind
		file, text string
		want       string
	}{
		"empty":           {KindVQA, "a.json", "", "the file is empty"},
		"text":            {KindVQA, "a.txt", "yes\nno\n", "begins with 'y'"},
		"cut short":       {KindVQA, "a.json", `[{"img_id": "A"`, "a.json"},
		"numbers":         {KindVQA, "a.json", `[1, 2]`, "found 1"},
		"annotations":     {KindVQA, "a.json", `{"info": {}, "annotations": []}`, "has annotations, want the questions"},
		"pre-training":    {KindVQA, "a.json", `[{"img_id": "A", "labelf": {}, "sentf": {}}]`, "pre-training's sentences"},
		"another record":  {KindVQA, "a.json", `[{"caption": "A dog."}]`, "none of the forms known"},
		"another object":  {KindVQA, "a.json", `{"caption": "A dog."}`, "none of the forms known"},
		"GQA as VQA":      {KindVQA, "a.json", `{"7": {"imageId": "1", "question": "Why?"}}`, "found GQA's questions, want VQA's questions, LXMERT's JSON or records of one's own"},
		"VQA as GQA":      {KindGQA, "a.json", `{"questions": []}`, "found VQA's questions, want GQA's questions"},
		"VQA as NLVR2":    {KindNLVR2, "a.json", `{"questions": []}`, "want NLVR2's lines or LXMERT's JSON"},
		"a table, NLVR2":  {KindNLVR2, "a.csv", "", "found records of one's own, want NLVR2's lines"},
		"NLVR2 as VQA":    {KindVQA, "a.json", `{"identifier": "dev-1-0-0", "sentence": "Both."}`, "found NLVR2's lines"},
		"two pictures":    {KindVQA, "a.json", `[{"identifier": "dev-1-0-0", "img0": "A", "img1": "B", "sent": "Both."}]`, "record 0 (dev-1-0-0): img0, img1: found two pictures"},
		"one picture":     {KindNLVR2, "a.json", `[{"img_id": "A", "question_id": 7, "sent": "Why?"}]`, "record 0 (7): img0, img1: found one picture"},
		"no id":           {KindVQA, "a.json", `[{"img_id": "A", "sent": "Why?"}]`, "question_id: found none"},
		"no identifier":   {KindNLVR2, "a.json", `[{"img0": "A", "img1": "B", "sent": "Both."}]`, "identifier: found none"},
		"the second time": {KindVQA, "a.json", `[{"img_id": "A", "question_id": 7, "sent": "Why?"}, {"img_id": "A", "question_id": 7, "sent": "Who?"}]`, "record 1 (7): id: comes a second time"},
	} {
		seq, _, err := Open(test.kind, save(t, test.file, test.text), "")
		if err == nil {
			for _, err = range seq {
				var bad *RecordError
				if errors.As(err, &bad) {
					break
				}
			}
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
	if _, err := ParseKind("okvqa"); err == nil {
		t.Error("an unknown kind is none")
	}
	if _, _, err := Open(KindVQA, filepath.Join(t.TempDir(), "none.json"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// FuzzRecognise: whatever the bytes, an answer or an error with the file's name.
func FuzzRecognise(f *testing.F) {
	for _, seed := range []string{`[{"img_id": "A", "sent": "Why?"}]`, `{"questions": [`, `{"7": {"imageId": "1", "question": "Why?"}}`, `{"identifier": "a", "sentence": "b"}`, `{`, `[[`} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "questions.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		form, err := Recognise(path)
		if (form == "") != (err != nil) {
			t.Errorf("form %q, %v", form, err)
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("no file name in: %v", err)
		}
	})
}

// TestIsPretraining tells pre-training's files from all others that may lie beside them.
func TestIsPretraining(t *testing.T) {
	for text, want := range map[string]bool{
		`[{"img_id": "A", "sentf": {"mscoco": ["A dog."]}}]`:                                true,
		`[{"sentf": {}, "img_id": "A"}, {"img_id": "B", "sent": "Why?"}]`:                   true,
		`[{"img_id": "A", "question_id": 7, "sent": "Why?"}, {"img_id": "B", "sentf": {}}]`: false,
		`[{"ans": "yes", "dsets": ["vqa"]}]`:                                                false,
		`["yes", "no"]`:                                                                     false,
		`[["sentf"]]`:                                                                       false,
		`[]`:                                                                                false,
		`{"sentf": {"mscoco": ["A dog."]}}`:                                                 false,
		`{"yes": 0}`:                                                                        false,
	} {
		path := filepath.Join(t.TempDir(), "a.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := IsPretraining(path); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{``, `[{"sentf": `, `[{]`} {
		path := filepath.Join(t.TempDir(), "a.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := IsPretraining(path); err == nil || got || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := IsPretraining(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
