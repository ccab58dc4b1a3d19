package batch

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

func converted(t *testing.T, o DataOptions) (map[string]Metric, error) {
	t.Helper()
	o.Job, o.Workers = rand.Text(), 2
	if err := o.Check(t.Context()); err != nil {
		return nil, err
	}
	return run(t, o.Job, func(s beam.Scope) { Data(s, o) })
}

func read(t *testing.T, path string) (all []questions.Question) {
	t.Helper()
	for q, err := range questions.LXMERT(path) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	return all
}

// The parts together have what the files have, each question in the part of its image; an id that comes twice and a bad record are dead letters.
func TestData(t *testing.T) {
	set := drawn(t, 8)
	vqa := few(t, filepath.Join(set, "vqa.json"), 40, `{"question_id": 1, "sent": "no picture"}`)
	twice := few(t, filepath.Join(set, "vqa.json"), 3)
	gqa := filepath.Join(set, "gqa.json")
	out := filepath.Join(t.TempDir(), "out")
	o := DataOptions{Kind: "lxmert", Files: []string{vqa, gqa, twice}, Out: out, Parts: 3}
	metrics, err := converted(t, o)
	if err != nil {
		t.Fatal(err)
	}
	want := append(read(t, few(t, filepath.Join(set, "vqa.json"), 40)), read(t, gqa)...)
	if got := sum(metrics, "items", "items done", "dead letters"); got != fmt.Sprintf("%d %d 4", len(want)+4, len(want)) {
		t.Errorf("%s", got)
	}
	for i := range 3 {
		part := data.Part{Index: i, Of: 3}
		var expected []questions.Question
		for _, q := range want {
			if part.Has(q.Image) {
				expected = append(expected, q)
			}
		}
		if got := read(t, filepath.Join(out, part.FileSuffix()+".json")); !reflect.DeepEqual(got, expected) {
			t.Errorf("part %v: %d questions, want %d, or they differ", part, len(got), len(expected))
		}
	}
	letters, err := os.ReadFile(DeadLettersPath(out))
	for _, want := range []string{"comes a second time", "img_id: found none", vqa + ": record 40"} {
		if err != nil || !strings.Contains(string(letters), want) {
			t.Errorf("dead letters without %q: %s, %v", want, letters, err)
		}
	}
	before := contents(t, out)
	metrics, err = converted(t, o)
	if err != nil || sum(metrics, "parts done", "parts that were whole already") != "0 3" {
		t.Errorf("the second time: %v, %v", metrics, err)
	}
	same(t, "the second time", contents(t, out), before)
}

// Captions become pre-training's records.
func TestDataPretraining(t *testing.T) {
	dir := t.TempDir()
	captions := filepath.Join(dir, "captions.json")
	save(t, captions, []byte(`{"images": [{"id": 1, "file_name": "COCO_val2014_000000000001.jpg"}, {"id": 2, "file_name": "COCO_val2014_000000000002.jpg"}],
		"annotations": [{"image_id": 1, "id": 10, "caption": "a dog"}, {"image_id": 2, "id": 11, "caption": "a cat"},
		{"image_id": 1, "id": 12, "caption": "a brown dog"}, {"image_id": 3, "id": 13, "caption": "nobody"}]}`))
	out := "memfs://captions"
	metrics, err := converted(t, DataOptions{Kind: "coco", Files: []string{captions}, Out: out, Parts: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got := sum(metrics, "items done", "dead letters"); got != "3 1" {
		t.Errorf("%s", got)
	}
	all := ""
	for _, content := range contents(t, out) {
		all += content
	}
	if strings.Count(all, `"img_id"`) != 2 || !strings.Contains(all, `["a dog","a brown dog"]`) {
		t.Errorf("found %s", all)
	}
}

func TestDataFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	save(t, file, []byte("nonsense"))
	for want, o := range map[string]DataOptions{
		"found kind":              {Kind: "x", Files: []string{file}},
		"no files":                {Kind: "vqa"},
		"is not there":            {Kind: "vqa", Files: []string{file + "x"}},
		"annotations are vqa's":   {Kind: "gqa", Files: []string{file}, Annotations: file},
		"x.json":                  {Kind: "gqa", Files: []string{file}},
		"no such file":            {Kind: "gqa", Files: []string{file}, Answers: file + "x"},
		"parts: found 1000000000": {Kind: "gqa", Files: []string{file}, Parts: 1000000000},
	} {
		o.Out = filepath.Join(t.TempDir(), "out")
		if o.Parts == 0 {
			o.Parts = 1
		}
		_, err := converted(t, o)
		says(t, err, want)
	}
}
