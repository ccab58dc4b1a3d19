package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/eval"
)

// pictures makes a feature file of pictures with these ids, the example's two in turn.
func pictures(t *testing.T, ids ...string) string {
	t.Helper()
	source, err := data.OpenTSV(exampleFeatures)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	path := filepath.Join(t.TempDir(), "features.tsv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := data.NewTSVWriter(file)
	for i, id := range ids {
		regions, err := source.Get(fmt.Sprint("drawn-", i%2+1))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(id, regions); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// predicted are predict's lines, as predictions; each probability is one.
func predicted(t *testing.T, out string) []eval.Prediction {
	t.Helper()
	var predictions []eval.Prediction
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			t.Fatalf("found line %q", line)
		}
		if p, err := strconv.ParseFloat(fields[2], 64); err != nil || p <= 0 || p > 1 {
			t.Errorf("probability in line %q", line)
		}
		predictions = append(predictions, eval.Prediction{ID: fields[0], Answer: fields[1]})
	}
	return predictions
}

// scored runs eval with --json and compares what it prints with a score.
func scored(t *testing.T, by string, want interface{ MarshalJSON() ([]byte, error) }, args ...string) {
	t.Helper()
	var got, wanted map[string]any
	out := succeeds(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	text, err := want.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &wanted); err != nil {
		t.Fatal(err)
	}
	if wanted["accuracy"] == 0.0 || wanted["accuracy"] == nil {
		t.Errorf("the test's own score is %v, which any mistake would give", wanted["accuracy"])
	}
	for key, value := range wanted {
		if fmt.Sprint(got[key]) != fmt.Sprint(value) {
			t.Errorf("%s: %v, want %v", key, got[key], value)
		}
	}
	if !strings.Contains(fmt.Sprint(got["scored_by"]), by) || got["skipped"] != 0.0 {
		t.Errorf("got %v", got)
	}
}

// TestEvalVQA: from VQA's own files, and from LXMERT's, by the official accuracy and by soft labels.
func TestEvalVQA(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	features := pictures(t, "COCO_val2014_000000000008", "COCO_val2014_000000000009")
	var asked, soft, annotated []string
	const n = 9
	for i := range n {
		sentence := []string{"What color is the dog?", "Is it raining?", "Why?", "Is there a man next to the big red bus on the street near the tree and the dog and the other man and the cat?"}[i%4]
		asked = append(asked, fmt.Sprintf(`{"image_id": %d, "question": %q, "question_id": %d}`, 8+i%2, sentence, 100+i))
	}
	official := lines(t, "v2_val2014_questions.json", `{"info": {}, "data_subtype": "val2014", "questions": [`+strings.Join(asked, ",\n")+`]}`)
	base := []string{"--model", exampleModel, "--features", features, "--batch", "4"}
	predictions := predicted(t, succeeds(t, append(base, "predict", "vqa", "--data", official)...))
	if len(predictions) != n || predictions[3].ID != "103" {
		t.Fatalf("got %v", predictions)
	}
	var people []eval.VQAQuestion
	var labelled []eval.SoftQuestion
	for i, p := range predictions {
		q := eval.VQAQuestion{ID: p.ID, QuestionType: "what", AnswerType: []string{"other", "number"}[i%2]}
		right := i % 5 // people of ten
		for k := range 10 {
			answer := "the wrong one"
			if k < right {
				answer = p.Answer
			}
			q.Answers = append(q.Answers, answer)
		}
		label := float64(right) / 5
		people, labelled = append(people, q), append(labelled, eval.SoftQuestion{ID: p.ID, Label: map[string]float64{p.Answer: label}})
		given, _ := json.Marshal(q.Answers)
		texts := strings.NewReplacer(`["`, `[{"answer":"`, `","`, `"},{"answer":"`, `"]`, `"}]`).Replace(string(given))
		annotated = append(annotated, fmt.Sprintf(`{"question_id": %s, "question_type": "what", "answer_type": %q, "answers": %s}`, p.ID, q.AnswerType, texts))
		var record struct {
			Image    int    `json:"image_id"`
			Question string `json:"question"`
		}
		if err := json.Unmarshal([]byte(asked[i]), &record); err != nil {
			t.Fatal(err)
		}
		soft = append(soft, fmt.Sprintf(`{"img_id": "COCO_val2014_%012d", "label": {%q: %v}, "question_id": %s, "sent": %q}`, record.Image, p.Answer, label, p.ID, record.Question))
	}
	annotated = append(annotated, `{"question_id": 999, "answers": [{"answer": "of a question that is not asked"}]}`)
	annotations := lines(t, "annotations.json", `{"annotations": [`+strings.Join(annotated, ",\n")+`]}`)
	own := lines(t, "minival.json", `[`+strings.Join(soft, ",\n")+`]`)

	want, err := eval.VQA(people, predictions)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "submission.json")
	scored(t, "the official VQA accuracy", want, append(base, "eval", "vqa", "--data", official, "--annotations", annotations, "--out", out)...)
	scored(t, "the official VQA accuracy", want, append(base, "eval", "vqa", "--data", own, "--annotations", annotations)...)
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if written, err := eval.ReadVQA(file); err != nil || fmt.Sprint(written) != fmt.Sprint(predictions) {
		t.Errorf("written %v, %v; want %v", written, err, predictions)
	}
	softly, err := eval.Soft(labelled, predictions)
	if err != nil {
		t.Fatal(err)
	}
	scored(t, "soft labels", softly, append(base, "eval", "vqa", "--data", own)...)

	report := succeeds(t, append(base, "eval", "vqa", "--data", official, "--annotations", annotations)...)
	for _, want := range []string{"9 questions in ", "0 skipped; by the official VQA accuracy", want.String()} {
		if !strings.Contains(report, want) {
			t.Errorf("%q is not in:\n%s", want, report)
		}
	}
	again := filepath.Join(t.TempDir(), "again.json")
	if said := succeeds(t, append(base, "predict", "vqa", "--data", own, "--out", again)...); said != again+": 9 answers\n" {
		t.Errorf("predict said %q", said)
	}
	one, _ := os.ReadFile(out)
	two, _ := os.ReadFile(again)
	if string(one) != string(two) || len(one) == 0 {
		t.Errorf("eval wrote %s\npredict %s", one, two)
	}
}

// TestEvalGQA: GQA's own file by the official metrics, with choices and without; LXMERT's by soft labels.
func TestEvalGQA(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	features := pictures(t, "n8", "n9")
	var asked, soft []string
	for i := range 6 {
		asked = append(asked, fmt.Sprintf(`"0%d": {"imageId": "n%d", "question": "What color is dog %d?"}`, i, 8+i%2, i))
	}
	base := []string{"--model", exampleModel, "--features", features}
	predictions := predicted(t, succeeds(t, append(base, "predict", "gqa", "--data", lines(t, "test.json", `{`+strings.Join(asked, ",")+`}`))...))
	if len(predictions) != 6 || predictions[0].ID != "00" {
		t.Fatalf("got %v", predictions)
	}
	var official []eval.GQAQuestion
	var labelled []eval.SoftQuestion
	var choices []string
	asked = nil
	for i, p := range predictions {
		q := eval.GQAQuestion{ID: p.ID, Question: fmt.Sprintf("What color is dog %d?", i), Answer: p.Answer, Balanced: i != 5, Structural: []string{"query", "verify"}[i%2], Semantic: "attr",
			Detailed: "color", GlobalGroup: "color", Steps: []eval.GQAStep{{Operation: "select", Argument: "dog"}}, Entailed: []string{"05"}}
		if i%3 == 2 {
			q.Answer = "another"
		}
		asked = append(asked, fmt.Sprintf(`%q: {"imageId": "n%d", "question": %q, "answer": %q, "isBalanced": %v, "types": {"structural": %q, "semantic": "attr", "detailed": "color"},
			"groups": {"global": "color", "local": null}, "semantic": [{"operation": "select", "argument": "dog", "dependencies": []}], "entailed": ["05"]}`, p.ID, 8+i%2, q.Question, q.Answer, q.Balanced, q.Structural))
		choices = append(choices, fmt.Sprintf(`%q: {"valid": [%q, "another"], "plausible": ["another"]}`, p.ID, p.Answer))
		soft = append(soft, fmt.Sprintf(`{"img_id": "n%d", "sent": %q, "label": {%q: 1.0}, "question_id": %q}`, 8+i%2, q.Question, q.Answer, p.ID))
		official, labelled = append(official, q), append(labelled, eval.SoftQuestion{ID: p.ID, Label: map[string]float64{q.Answer: 1}})
	}
	file := lines(t, "val_all_questions.json", `{`+strings.Join(asked, ",")+`}`)
	want, err := eval.GQA(official, predictions)
	if err != nil {
		t.Fatal(err)
	}
	if want.Consistency == nil || want.Distribution == nil || want.Validity != nil || want.Questions != 5 {
		t.Fatalf("the test's own score: %v", want)
	}
	out := filepath.Join(t.TempDir(), "out.json")
	scored(t, "the official GQA metrics", want, append(base, "eval", "gqa", "--data", file, "--out", out, "--split", "mine")...)
	for i, p := range predictions {
		official[i].Choices = &eval.GQAChoice{Valid: []string{p.Answer, "another"}, Plausible: []string{"another"}}
	}
	if want, err = eval.GQA(official, predictions); err != nil || want.Validity == nil {
		t.Fatalf("%v, %v", want, err)
	}
	chosen := append(base, "eval", "gqa", "--data", file, "--choices", lines(t, "choices.json", `{`+strings.Join(choices, ",")+`}`), "--split", "mine")
	var got map[string]any
	if err := json.Unmarshal([]byte(succeeds(t, append(chosen, "--json")...)), &got); err != nil || got["validity"] != *want.Validity || got["plausibility"] != *want.Plausibility {
		t.Errorf("with choices %v, %v; want %v", got, err, want)
	}
	written, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if read, err := eval.ReadGQA(written); err != nil || fmt.Sprint(read) != fmt.Sprint(predictions) {
		t.Errorf("written %v, %v; want %v", read, err, predictions)
	}
	softly, err := eval.Soft(labelled, predictions)
	if err != nil {
		t.Fatal(err)
	}
	scored(t, "soft labels", softly, append(base, "eval", "gqa", "--data", lines(t, "testdev.json", `[`+strings.Join(soft, ",")+`]`))...)
}

// judge makes a model for statements.
func judge(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "judge")
	succeeds(t, "init", "--out", dir, "--vocab", "../../examples/words.txt", "--head", "nlvr2", "--seed", "7", "--set", "hidden_size=32", "--set", "num_attention_heads=4",
		"--set", "intermediate_size=64", "--set", "l_layers=2", "--set", "r_layers=1", "--set", "x_layers=1")
	return dir
}

// TestEvalNLVR2: NLVR2's own lines and LXMERT's JSON, with the truth and without.
func TestEvalNLVR2(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	features := pictures(t, "dev-7-0-img0", "dev-7-0-img1", "dev-7-1-img1", "dev-7-1-img0", "dev-8-0-img1", "dev-8-0-img0")
	var raw, own []string
	identifiers := []string{"dev-7-0-0", "dev-7-1-0", "dev-7-0-1", "dev-8-0-0"}
	for i, id := range identifiers {
		raw = append(raw, fmt.Sprintf(`{"identifier": %q, "sentence": "The dog is red in %d."}`, id, i))
	}
	base := []string{"--model", judge(t), "--features", features}
	predictions := predicted(t, succeeds(t, append(base, "predict", "nlvr2", "--data", lines(t, "test1.json", raw...))...))
	if len(predictions) != len(identifiers) {
		t.Fatalf("got %v", predictions)
	}
	var examples []eval.NLVR2Example
	raw = nil
	for i, p := range predictions {
		e := eval.NLVR2Example{Identifier: p.ID, Label: (p.Answer == "True") != (i == 1)} // all right but the second
		examples = append(examples, e)
		number := map[bool]int{true: 1}[e.Label]
		raw = append(raw, fmt.Sprintf(`{"identifier": %q, "sentence": "The dog is red in %d.", "label": "%t"}`, p.ID, i, e.Label))
		own = append(own, fmt.Sprintf(`{"identifier": %q, "img0": "%[2]s-img0", "img1": "%[2]s-img1", "label": %[3]d, "sent": "The dog is red in %[4]d.", "uid": "nlvr2_valid_%[4]d"}`, p.ID, p.ID[:len("dev-7-0")], number, i))
	}
	want, err := eval.NLVR2(examples, predictions)
	if err != nil || want.Accuracy != 0.75 || want.Consistency != 2.0/3 {
		t.Fatalf("%v, %v", want, err)
	}
	out := filepath.Join(t.TempDir(), "out.csv")
	scored(t, "accuracy and consistency", want, append(base, "eval", "nlvr2", "--data", lines(t, "dev.json", raw...), "--out", out)...)
	scored(t, "accuracy and consistency", want, append(base, "eval", "nlvr2", "--data", lines(t, "valid.json", "["+strings.Join(own, ",")+"]"))...)
	written, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if read, err := eval.ReadNLVR2(written); err != nil || fmt.Sprint(read) != fmt.Sprint(predictions) {
		t.Errorf("written %v, %v; want %v", read, err, predictions)
	}
}

// copied is the example's model in a directory of its own, with what it has learned from.
func copied(t *testing.T, trained ...eval.Trained) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(exampleModel)); err != nil {
		t.Fatal(err)
	}
	if err := eval.WriteTrained(filepath.Join(dir, eval.TrainedName), trained); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEvalWarns: of what the model has learned from, by name and by content; a model of which nothing is known gets a note where it matters.
func TestEvalWarns(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	record := `[{"img_id": "drawn-1", "label": {"dog": 1}, "question_id": 1, "sent": "What is it?"}]`
	learned := eval.NewTrained("finetune", eval.Split{DataSet: "mine", Name: "train"}, func(yield func(eval.Example) bool) {
		yield(eval.Example{Pictures: []string{"drawn-1"}, Text: "what is  it?"})
	})
	byName := eval.Trained{Split: eval.Split{DataSet: "gqa", Name: "valid"}, Stage: "finetune"}
	for name, test := range map[string]struct {
		model, file string
		more        []string
		want        string // "" for silence
	}{
		"by content":   {copied(t, learned), "questions.json", nil, "warning: the model has learned from mine train (finetune), which holds 100.0% of the evaluated questions"},
		"by name":      {copied(t, byName), "valid.json", nil, "warning: the model has learned from gqa valid (finetune), which holds questions of this split"},
		"by --split":   {copied(t, byName), "questions.json", []string{"--split", "val_all"}, "holds questions of this split"},
		"nothing":      {copied(t, byName), "testdev.json", nil, ""},
		"unknown":      {exampleModel, "valid.json", nil, "if it began with LXMERT's published weights, the model has learned from lxmert"},
		"unknown, new": {exampleModel, "testdev.json", nil, ""},
	} {
		args := append([]string{"eval", "gqa", "--model", test.model, "--features", exampleFeatures, "--data", lines(t, test.file, record), "--json"}, test.more...)
		code, out, errOut := command(t, "", args...)
		if code != exitOK || test.want == "" && errOut != "" || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, %s\n%s", name, code, out, errOut)
		}
		if warned := strings.Contains(errOut, "warning:"); warned == strings.Contains(out, `"overlaps":[]`) {
			t.Errorf("%s: standard error %q, but %s", name, errOut, out)
		}
	}
}

// TestEvalSkipsBad: bad records, missing pictures and questions without words are named and counted, and do not count.
func TestEvalSkipsBad(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	file := lines(t, "q.json", `[{"img_id": "drawn-1", "label": {"cat": 1, "dog": 1}, "question_id": 1, "sent": "What is it?"},`,
		`{"img_id": "drawn-1", "label": 1, "question_id": 2, "sent": "Why?"},`,
		`{"img_id": "drawn-3", "label": {}, "question_id": 3, "sent": "Why?"},`,
		`{"img_id": "drawn-2", "label": {}, "question_id": 4, "sent": "\u200b"},`,
		`{"img_id": "drawn-2", "label": {}, "question_id": 5, "sent": "Who?"}]`)
	out := filepath.Join(t.TempDir(), "out.json")
	args := []string{"eval", "vqa", "--model", exampleModel, "--features", exampleFeatures, "--data", file, "--out", out, "--json"}
	if code, _, errOut := command(t, "", args...); code != exitFailure || !strings.Contains(errOut, "record 1") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a submission of nothing: %v", err)
	}
	code, got, errOut := command(t, "", append(args, "--skip-bad")...)
	if code != exitOK || !strings.Contains(got, `"questions":2`) || !strings.Contains(got, `"skipped":3`) {
		t.Errorf("exit code %d: %s%s", code, got, errOut)
	}
	for _, want := range []string{"record 1", `question "3" (picture "drawn-3")`, "did you mean drawn-1", `question "4"`, "no words", "warning: " + out + " lacks the 3 skipped"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is not in:\n%s", want, errOut)
		}
	}
	written, err := os.ReadFile(out)
	if err != nil || strings.Count(string(written), "question_id") != 2 {
		t.Errorf("%s, %v", written, err)
	}
}

// TestEvalMaxTokens: questions are cut to 20 tokens, unless the caller wants otherwise.
func TestEvalMaxTokens(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	long := lines(t, "q.jsonl", fmt.Sprintf(`{"image": "drawn-1", "question": %q}`, strings.Repeat("dog ", 100)))
	args := []string{"predict", "vqa", "--model", exampleModel, "--features", exampleFeatures, "--data", long}
	cut := succeeds(t, args...)
	short := lines(t, "q.jsonl", fmt.Sprintf(`{"image": "drawn-1", "question": %q}`, strings.Repeat("dog ", 18)))
	if whole := succeeds(t, append(args, "--data", short, "--max-tokens", "0")...); whole != cut {
		t.Errorf("cut %q, want %q", cut, whole)
	}
	for tokens, want := range map[string]string{"0": "the model reads 64", "65": "found 65, want 3 to 64", "2": "found 2, want 3"} {
		if code, _, errOut := command(t, "", append(args, "--max-tokens", tokens)...); code != exitFailure || !strings.Contains(errOut, want) {
			t.Errorf("--max-tokens %s: exit code %d, %s", tokens, code, errOut)
		}
	}
}

// TestEvalRefuses: what is wrong is found, and said, before the model is asked.
func TestEvalRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	labelled := lines(t, "q.json", `[{"img_id": "drawn-1", "label": {"dog": 1}, "question_id": 1, "sent": "Why?"}]`)
	unlabelled := lines(t, "t.json", `[{"img_id": "drawn-1", "question_id": 1, "sent": "Why?"}]`)
	official := lines(t, "o.json", `{"data_subtype": "val2014", "questions": [{"image_id": 1, "question": "Why?", "question_id": 1}]}`)
	others := lines(t, "a.json", `{"annotations": [{"question_id": 2, "answers": [{"answer": "yes"}]}]}`)
	named := lines(t, "n.json", `[{"img_id": "drawn-1", "label": {"dog": 1}, "question_id": "a", "sent": "Why?"}]`)
	gqa := lines(t, "g.json", `{"7": {"imageId": "drawn-1", "question": "Why?"}}`)
	statement := lines(t, "s.json", `{"identifier": "dev-1-0-0", "sentence": "Both.", "label": "True"}`)
	untold := lines(t, "u.json", `{"identifier": "dev-1-0-0", "sentence": "Both."}`)
	two := pictures(t, "dev-1-0-img0", "dev-1-0-img1")
	narrow := lines(t, "narrow.tsv", "drawn-1\t10\t10\tAAAAAAAAAAA=\tAAAAAA==\tAAAAAAAAAAA=\tAAAAAA==\t1\tAAAAAAAAAAAAACBBAAAgQQ==\tAAAAAA==")
	judge := judge(t)
	nowhere := filepath.Join(t.TempDir(), "none", "out.json")
	args := func(verb, kind, file string, more ...string) []string {
		return append([]string{verb, kind, "--model", exampleModel, "--features", exampleFeatures, "--data", file}, more...)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no kind":          {[]string{"eval", "--model", exampleModel}, exitUsage, "wants vqa, gqa or nlvr2"},
		"kind":             {args("predict", "okvqa", labelled), exitUsage, `found kind "okvqa"`},
		"no data":          {[]string{"eval", "vqa", "--model", exampleModel}, exitUsage, "needs --data, --features"},
		"batch":            {args("eval", "vqa", labelled, "--batch", "0"), exitUsage, "--batch: found 0"},
		"tokens":           {args("eval", "vqa", labelled, "--max-tokens", "-1"), exitUsage, "--max-tokens: found -1"},
		"empty":            {args("eval", "vqa", lines(t, "e.json", "[]")), exitFailure, "found no questions"},
		"empty file":       {args("predict", "vqa", lines(t, "e.json", "")), exitFailure, "the file is empty"},
		"all bad":          {args("predict", "vqa", lines(t, "e.json", `[{"img_id": "a", "sent": ""}]`), "--skip-bad"), exitFailure, "the first of 1 that cannot"},
		"none answered":    {args("predict", "vqa", lines(t, "e.json", `[{"img_id": "a", "sent": "Why?", "question_id": 1}]`), "--skip-bad"), exitFailure, "none of the questions can be answered"},
		"no labels":        {args("eval", "vqa", unlabelled), exitFailure, "nothing to score by: 1 of 1 questions have no label"},
		"no annotations":   {args("eval", "vqa", official), exitUsage, "give --annotations"},
		"annotations":      {args("eval", "vqa", labelled, "--annotations", others), exitFailure, "1 of 1 questions have no annotation"},
		"GQA annotations":  {args("eval", "gqa", labelled, "--annotations", others), exitUsage, "--annotations are VQA's"},
		"choices":          {args("eval", "gqa", labelled, "--choices", others), exitUsage, "--choices go with GQA's own"},
		"GQA's test":       {args("eval", "gqa", gqa), exitFailure, "record 7: answer: found none"},
		"NLVR2's test":     {args("eval", "nlvr2", untold), exitFailure, "nothing to score by"},
		"a text id":        {args("predict", "vqa", named, "--out", filepath.Join(t.TempDir(), "out")), exitFailure, "VQA's questions have whole numbers"},
		"out":              {args("predict", "vqa", labelled, "--out", nowhere), exitFailure, "none"},
		"missing picture":  {args("eval", "vqa", official, "--annotations", lines(t, "a.json", `{"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}]}]}`)), exitFailure, `question "1" (picture "COCO_val2014_000000000001")`},
		"width":            {args("predict", "vqa", labelled, "--features", narrow), exitFailure, "2048"},
		"statements":       {args("predict", "vqa", statement), exitFailure, "found NLVR2's lines, want VQA's questions"},
		"judge asked":      {args("predict", "vqa", labelled, "--model", judge), exitFailure, "found LxmertForNLVR2, which judges statements about two pictures (nlvr2), want LxmertForQuestionAnswering for vqa"},
		"answerer judging": {args("eval", "nlvr2", statement, "--features", two), exitFailure, "found LxmertForQuestionAnswering, which answers questions about a picture (vqa, gqa), want LxmertForNLVR2"},
		"labels":           {args("eval", "nlvr2", statement, "--labels", "x"), exitUsage, "they have no answer table"},
		"other labels":     {args("eval", "vqa", labelled, "--labels", lines(t, "l.txt", "yes", "no")), exitFailure, "2 answers, but the model scores 22"},
		"no model":         {args("eval", "vqa", labelled, "--model", t.TempDir()), exitFailure, "config.json"},
		"backend":          {args("eval", "vqa", labelled, "--backend", "tpu"), exitUsage, `found "tpu"`},
		"no features":      {args("eval", "vqa", labelled, "--features", nowhere), exitFailure, "no such file"},
		"twice":            {args("eval", "vqa", lines(t, "d.json", `[{"img_id": "drawn-1", "label": {}, "question_id": 1, "sent": "Why?"},`, `{"img_id": "drawn-1", "label": {}, "question_id": 1, "sent": "Who?"}]`)), exitFailure, "comes a second time"},
		"trained":          {args("eval", "vqa", labelled, "--model", broken(t)), exitFailure, "trained.json: entry 0"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := command(t, "", test.args...)
			if code != test.code || !strings.Contains(errOut, test.want) || out != "" {
				t.Errorf("exit code %d, want %d; %q is to be in: %s%s", code, test.code, test.want, out, errOut)
			}
		})
	}
}

// broken is a model whose record of its training is damaged.
func broken(t *testing.T) string {
	t.Helper()
	dir := copied(t)
	if err := os.WriteFile(filepath.Join(dir, eval.TrainedName), []byte(`[{}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
