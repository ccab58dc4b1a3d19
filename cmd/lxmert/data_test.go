package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lines saves a file and returns its path.
func lines(t *testing.T, name string, content ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(content, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// succeeds runs a command line and returns what it prints.
func succeeds(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errOut := command(t, "", args...)
	if code != exitOK {
		t.Fatalf("%q: exit code %d: %s%s", args, code, out, errOut)
	}
	return out
}

// A feature file becomes a store, which is checked, measured, imported again, and asked about.
func TestDataImport(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	store := filepath.Join(t.TempDir(), "store")
	if out := succeeds(t, "data", "import", exampleFeatures, "--out", store, "--float32"); !strings.Contains(out, "2 images, 2 added, 0 there before, 0 skipped") {
		t.Error(out)
	}
	if out := succeeds(t, "data", "import", exampleFeatures, "--out", store, "--float32", "--json"); out != `{"images":2,"added":0,"there":2,"skipped":0}`+"\n" {
		t.Error(out)
	}
	if out := succeeds(t, "data", "check", store); !strings.Contains(out, "2 images") || !strings.Contains(out, ", 0 faults") {
		t.Error(out)
	}
	var of [2]string
	for i, path := range []string{store, exampleFeatures} {
		of[i] = succeeds(t, "data", "stats", path, "--json")
		if !strings.Contains(succeeds(t, "data", "stats", path), "butd-caffe") {
			t.Errorf("%s: no preset", path)
		}
	}
	if of[0] != of[1] {
		t.Errorf("the store has %s, the file %s", of[0], of[1])
	}
	var answers [2]asked
	for i, path := range []string{store, exampleFeatures} {
		out := succeeds(t, "ask", "--model", exampleModel, "--features", path, "--image-id", "drawn-1", "--json", "What color is the dog?")
		if err := json.Unmarshal([]byte(out), &answers[i]); err != nil {
			t.Fatal(err)
		}
	}
	if one, two := answers[0].Questions[0].Answers, answers[1].Questions[0].Answers; fmt.Sprint(one) != fmt.Sprint(two) {
		t.Errorf("answers from the store %v, from the file %v", one, two)
	}
	half := filepath.Join(t.TempDir(), "half")
	succeeds(t, "data", "import", store, "--out", half)
	succeeds(t, "data", "check", half)
}

// Bad images and command lines are named; the exit code tells them apart.
func TestDataRefuses(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store")
	bad := lines(t, "bad.tsv", "x\t0"+strings.Repeat("\t1", 8))
	questions := lines(t, "q.json", `[{"img_id": "drawn-1", "sent": "Why?", "label": {"dog": 1}, "question_id": 1},`, `{"img_id": "none", "sent": "", "question_id": 2},`, `{"img_id": "none", "sent": "Who?", "question_id": 1}]`)
	for name, test := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"no file":         {[]string{"data", "import", "--out", store}, exitUsage, []string{"wants feature files"}},
		"no out":          {[]string{"data", "import", bad}, exitUsage, []string{"needs --out"}},
		"bad image":       {[]string{"data", "import", bad, "--out", store}, exitFailure, []string{"bad.tsv: line 1 (x): img_h: found", "0 images were added"}},
		"bad shard size":  {[]string{"data", "import", bad, "--out", store, "--shard-mb", "0"}, exitUsage, []string{"--shard-mb: found 0"}},
		"check bad":       {[]string{"data", "check", bad}, exitFailure, []string{"line 1 (x): img_h", "faults"}},
		"check no path":   {[]string{"data", "check"}, exitUsage, []string{"wants one path"}},
		"check questions": {[]string{"data", "check", questions, "--features", exampleFeatures, "--answers", lines(t, "a.txt", "cat")}, exitFailure, []string{"record 1 (2): sent: found none", "record 2 (1): id: comes a second time", "found answer dog, which is not in use", "3 faults"}},
		"stats bad":       {[]string{"data", "stats", questions}, exitFailure, []string{"record 1 (2): sent"}},
		"kind":            {[]string{"data", "convert", "okvqa", questions, "--out", "x"}, exitUsage, []string{`found kind "okvqa", want vqa`}},
		"convert bad":     {[]string{"data", "convert", "lxmert", questions, "--out", filepath.Join(t.TempDir(), "x")}, exitFailure, []string{"record 1 (2): sent"}},
		"two files":       {[]string{"data", "convert", "nlvr2", bad, bad, "--out", "x"}, exitUsage, []string{"nlvr2 wants one file, found 2"}},
		"verb":            {[]string{"data", "frobnicate"}, exitUsage, []string{"unknown command"}},
		"build itself":    {[]string{"data", "build", questions, "--out", filepath.Dir(questions)}, exitUsage, []string{"written over itself"}},
		"build twice":     {[]string{"data", "build", "a/q.csv", "b/q.jsonl", "--out", "x"}, exitUsage, []string{"would both become q.json"}},
		"answers kind":    {[]string{"data", "answers", "x", questions, "--out", "x"}, exitUsage, []string{`found kind "x"`}},
		"answers source":  {[]string{"data", "answers", "pretrain", questions, "--out", "x"}, exitUsage, []string{"want SOURCE=FILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := command(t, "", test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			for _, want := range test.want {
				if !strings.Contains(out+errOut, want) {
					t.Errorf("%q is not in:\n%s%s", want, out, errOut)
				}
			}
		})
	}
	code, out, errOut := command(t, "", "data", "import", bad, exampleFeatures, "--out", store, "--skip-bad")
	if code != exitOK || !strings.Contains(out, "2 images, 2 added, 0 there before, 1 skipped") || !strings.Contains(errOut, "skipped: "+bad+": line 1 (x): img_h") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}

// From the files of VQA's site to those that LXMERT is trained with.
func TestDataConvert(t *testing.T) {
	answer := func(list ...string) string {
		for i := range list {
			list[i] = fmt.Sprintf(`{"answer": %q}`, list[i])
		}
		return strings.Join(list, ",")
	}
	asked := lines(t, "asked.json", `{"data_subtype": "train2014", "questions": [{"image_id": 9, "question": "What?", "question_id": 9000}, {"image_id": 9, "question": "Is it?", "question_id": 9001}]}`)
	annotated := lines(t, "annotated.json", `{"annotations": [
	{"question_id": 9000, "multiple_choice_answer": "a cat", "question_type": "what", "answer_type": "other", "answers": [`+answer("cat", "cat", "dog", "dog", "dog", "dog", "emu", "emu", "emu", "gnu")+`]},
	{"question_id": 9001, "multiple_choice_answer": "Yes.", "question_type": "is it", "answer_type": "yes/no", "answers": [`+answer("yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes")+`]}]}`)
	dir := t.TempDir()
	if out := succeeds(t, "data", "answers", "vqa", annotated, "--min", "1", "--out", dir); !strings.Contains(out, "2 of 2 answers, the best of 100.0 %") {
		t.Error(out)
	}
	list := filepath.Join(dir, "trainval_label2ans.json")
	content, _ := os.ReadFile(list)
	if string(content) != "[\n  \"cat\",\n  \"yes\"\n]\n" {
		t.Errorf("%s", content)
	}
	train := filepath.Join(dir, "train.json")
	if out := succeeds(t, "data", "convert", "vqa", asked, annotated, "--answers", list, "--out", train); !strings.Contains(out, "2 sentences, 0 without an answer in use, 0 skipped") {
		t.Error(out)
	}
	content, _ = os.ReadFile(train)
	want := `[
{"answer_type":"other","img_id":"COCO_train2014_000000000009","label":{"cat":0.6},"question_id":9000,"question_type":"what","sent":"What?"},
{"answer_type":"yes/no","img_id":"COCO_train2014_000000000009","label":{"yes":1},"question_id":9001,"question_type":"is it","sent":"Is it?"}
]
`
	if string(content) != want {
		t.Errorf("%s", content)
	}
	if out := succeeds(t, "data", "stats", train, "--json"); !strings.Contains(out, `"questions":2,"pictures":1,`) || !strings.Contains(out, `"answer_types":{"other":1,"yes/no":1}`) {
		t.Error(out)
	}
	succeeds(t, "data", "check", train, "--answers", list)
	pretrain := filepath.Join(dir, "pretrain.json")
	if out := succeeds(t, "data", "convert", "vqa", asked, annotated, "--pretrain", "--out", pretrain); !strings.Contains(out, "2 sentences about 1 pictures") {
		t.Error(out)
	}
	table := filepath.Join(dir, "all_ans.json")
	if out := succeeds(t, "data", "answers", "pretrain", "vqa="+pretrain, "--size", "1", "--out", table); !strings.Contains(out, "1 of 2 answers, the best of 50.0 %") {
		t.Error(out)
	}
	if content, _ := os.ReadFile(table); !strings.Contains(string(content), `"ans": "dog"`) || !strings.Contains(string(content), `"vqa"`) {
		t.Errorf("%s", content)
	}
}

// A data set of one's own from a table.
func TestDataBuild(t *testing.T) {
	dir := t.TempDir()
	train := lines(t, "train.csv", "image,question,answers", "a,What?,cat|A cat.|dog", "b,Who?,The dog")
	test := lines(t, "test.jsonl", `{"image": "c", "question": "Why?", "answer": "because"}`, `{"image": "c", "question": ""}`)
	out := succeeds(t, "data", "build", train, test, "--out", dir, "--skip-bad")
	for _, want := range []string{"3 of 3 answers", "train.json: 2 questions, 0 without", "test.json: 1 questions, 0 without an answer in use, 1 skipped"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	content, _ := os.ReadFile(filepath.Join(dir, "train.json"))
	if want := `{"img_id":"a","label":{"cat":1,"dog":1},"question_id":0,"sent":"What?"}`; !strings.Contains(string(content), want) {
		t.Errorf("%s", content)
	}
	out = succeeds(t, "data", "build", test, "--answers", train, "--out", t.TempDir(), "--skip-bad")
	if !strings.Contains(out, "1 questions, 1 without an answer in use, 1 skipped") {
		t.Error(out)
	}
}
