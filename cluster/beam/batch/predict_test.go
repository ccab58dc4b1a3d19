package batch

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/xitongsys/parquet-go-source/buffer"
	"github.com/xitongsys/parquet-go/reader"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/predict"
)

func predicted(t *testing.T, o *PredictOptions) map[string]Metric {
	t.Helper()
	o.Job = rand.Text()
	if o.Workers == 0 {
		o.Workers = 2
	}
	if note, err := o.Check(t.Context()); err != nil || note != "" {
		t.Fatalf("%q, %v", note, err)
	}
	m, err := run(t, o.Job, func(s beam.Scope) { Predict(s, *o) })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// few writes the first questions of a file of LXMERT's.
func few(t *testing.T, path string, n int, more ...string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	all = all[:n]
	for _, m := range more {
		all = append(all, json.RawMessage(m))
	}
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), filepath.Base(path))
	save(t, path, text)
	return path
}

// Answers are those of an undivided run, with any number of workers; what cannot be asked is a dead letter.
func TestPredict(t *testing.T) {
	set := drawn(t, 12)
	regions := filepath.Join(t.TempDir(), "regions")
	mustExtract(t, extraction(regions, 4, 2, filepath.Join(set, "images")))
	path := few(t, filepath.Join(set, "vqa.json"), 60,
		`{"question_id": "a", "img_id": "nowhere", "sent": "what is it?"}`, `{"question_id": "b", "img_id": "s3-000000"}`,
		`{"question_id": "c", "img_id": "s3-000000", "sent": "`+strings.Repeat("why ", 600)+`?"}`)
	want := answersOf(t, path, regions, questions.KindVQA)
	var before map[string]string
	for _, workers := range []int{1, 2, 4} {
		o := &PredictOptions{Kind: questions.KindVQA, Questions: []string{path}, Regions: regions, Workers: workers, Parquet: true}
		o.Out = filepath.Join(t.TempDir(), "answers")
		metrics := predicted(t, o)
		if got := sum(metrics, "items", "dead letters", "parts done"); got != fmt.Sprintf("63 %d 4", 63-len(want)) {
			t.Errorf("%s", got)
		}
		submission := filepath.Join(t.TempDir(), "submission.json")
		if n, err := Submit(t.Context(), *o, submission); err != nil || n != len(want) {
			t.Errorf("%d, %v", n, err)
		}
		var text bytes.Buffer
		if err := predict.Submit(&text, questions.KindVQA, idsOf(want), predict.Plain(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(submission); err != nil || !bytes.Equal(got, text.Bytes()) {
			t.Errorf("the submission differs from that of an undivided run: %v", err)
		}
		letters, err := os.ReadFile(DeadLettersPath(o.Out))
		for _, want := range []string{`"id":"a"`, "nowhere", `"id":"b"`, "sent: found none"} {
			if err != nil || !strings.Contains(string(letters), want) {
				t.Errorf("dead letters without %s: %s, %v", want, letters, err)
			}
		}
		got := contents(t, o.Out)
		if before != nil {
			same(t, fmt.Sprint(workers, " workers"), got, before)
		}
		before = got
		rows := 0
		for name, content := range got {
			if strings.HasSuffix(name, ".parquet") {
				rows += checkParquet(t, []byte(content), got[strings.TrimSuffix(name, ".parquet")+".jsonl"])
			}
		}
		if rows != len(want) {
			t.Errorf("%d rows, want %d", rows, len(want))
		}
		if got := sum(predicted(t, o), "parts done", "parts that were whole already"); got != "0 4" {
			t.Errorf("the second time: %s", got)
		}
	}
	inMemory(t, regions, "memfs://regions")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := files.Write(t.Context(), "memfs://questions/vqa.json", text); err != nil {
		t.Fatal(err)
	}
	o := &PredictOptions{Kind: questions.KindVQA, Questions: []string{"memfs://questions/vqa.json"}, Regions: "memfs://regions", Parquet: true}
	o.Out = "memfs://answers"
	predicted(t, o)
	same(t, "in memory", contents(t, o.Out), before)
}

// Statements are about two pictures, the second perhaps of another part.
func TestPredictStatements(t *testing.T) {
	set := drawn(t, 10)
	regions := filepath.Join(t.TempDir(), "regions")
	mustExtract(t, extraction(regions, 3, 2, filepath.Join(set, "images")))
	path := filepath.Join(set, "nlvr2.json")
	want := answersOf(t, path, regions, questions.KindNLVR2)
	inMemory(t, regions, "memfs://regions2")
	for _, store := range []string{regions, "memfs://regions2"} {
		o := &PredictOptions{Kind: questions.KindNLVR2, Questions: []string{path}, Regions: store}
		o.Out = filepath.Join(t.TempDir(), "answers")
		predicted(t, o)
		submission := filepath.Join(t.TempDir(), "submission.csv")
		if n, err := Submit(t.Context(), *o, submission); err != nil || n != len(want) {
			t.Errorf("%d, %v", n, err)
		}
		var text bytes.Buffer
		if err := predict.Submit(&text, questions.KindNLVR2, idsOf(want), predict.Plain(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(submission); err != nil || !bytes.Equal(got, text.Bytes()) {
			t.Errorf("%s: the submission differs from that of an undivided run: %v", store, err)
		}
	}
}

func TestPredictFails(t *testing.T) {
	set := drawn(t, 3)
	regions := filepath.Join(t.TempDir(), "regions")
	mustExtract(t, extraction(regions, 2, 1, filepath.Join(set, "images")))
	for what, c := range map[string]struct {
		change func(*PredictOptions)
		want   string
	}{
		"no model":              {func(o *PredictOptions) { o.Model.Name = "nowhere" }, "the model: "},
		"a model without files": {func(o *PredictOptions) { o.Model.Name = t.TempDir() }, "the model: "},
		"no store":              {func(o *PredictOptions) { o.Regions = t.TempDir() }, "no region store"},
		"no store in memory":    {func(o *PredictOptions) { o.Regions = "memfs://nothing" }, "no region store"},
		"no questions":          {func(o *PredictOptions) { o.Questions = nil }, "no questions"},
		"questions not there":   {func(o *PredictOptions) { o.Questions = []string{"/nothing.json"} }, "no such file"},
		"other questions":       {func(o *PredictOptions) { o.Kind = questions.KindNLVR2 }, "want"},
		"no place":              {func(o *PredictOptions) { o.Out = filepath.Join(set, "vqa.json", "x") }, "cannot be written"},
	} {
		o := &PredictOptions{Kind: questions.KindVQA, Questions: []string{filepath.Join(set, "vqa.json")}, Regions: regions, Workers: 1, Job: what}
		o.Out = filepath.Join(t.TempDir(), "answers")
		c.change(o)
		_, err := o.Check(t.Context())
		if err == nil {
			var m map[string]Metric
			if m, err = run(t, o.Job, func(s beam.Scope) { Predict(s, *o) }); err == nil && m["dead letters"].Sum > 0 {
				letters, _ := os.ReadFile(DeadLettersPath(o.Out))
				err = fmt.Errorf("dead letters: %.300s", letters)
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// answersOf are those of an undivided run.
func answersOf(t *testing.T, path, regions string, kind questions.Kind) []predict.Prediction {
	t.Helper()
	seq, _, err := questions.Open(kind, path, "")
	if err != nil {
		t.Fatal(err)
	}
	var qs []questions.Question
	for q, err := range questions.Good(seq, &questions.Skipped{}) {
		if err != nil {
			t.Fatal(err)
		}
		qs = append(qs, q)
	}
	store, err := data.OpenStore(regions)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	o := predict.Options{Bad: func(*predict.QuestionError) {}}
	var all []predict.Prediction
	if kind == questions.KindNLVR2 {
		m, openErr := lxmert.ShippedStatements()
		if openErr != nil {
			t.Fatal(openErr)
		}
		defer m.Close()
		all, err = predict.Statements(t.Context(), m, store, qs, o)
	} else {
		m, openErr := lxmert.Shipped()
		if openErr != nil {
			t.Fatal(openErr)
		}
		defer m.Close()
		all, err = predict.Answers(t.Context(), m, store, qs, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func idsOf(all []predict.Prediction) (ids []string) {
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	return ids
}

// checkParquet compares a Parquet file with the lines that say the same.
func checkParquet(t *testing.T, content []byte, lines string) int {
	t.Helper()
	r, err := reader.NewParquetReader(buffer.NewBufferFileFromBytes(content), new(Answer), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	rows := make([]Answer, r.GetNumRows())
	if err := r.Read(&rows); err != nil {
		t.Fatal(err)
	}
	want, err := readAnswers(strings.NewReader(lines))
	if err != nil || len(want) != len(rows) {
		t.Fatalf("%d rows, %d lines, %v", len(rows), len(want), err)
	}
	for i := range rows {
		if rows[i] != want[i] {
			t.Errorf("row %d: %+v, want %+v", i, rows[i], want[i])
		}
	}
	return len(rows)
}
