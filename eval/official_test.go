package eval

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func save(t testing.TB, content any) string {
	t.Helper()
	text, ok := content.(string)
	if !ok {
		b, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestReadVQAAnnotations: the reference's annotations, from a file.
func TestReadVQAAnnotations(t *testing.T) {
	want, _ := goldenVQAQuestions(t)
	input := golden[map[string]any](t, "vqa_input.json")
	got, err := ReadVQAAnnotations(save(t, map[string]any{"info": map[string]int{}, "annotations": input["annotations"], "license": 1}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 300 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d questions, the first %+v, want %+v", len(got), got[0], want[0])
	}
}

// TestReadGQAQuestions: the reference's questions and choices from files give the reference's scores.
func TestReadGQAQuestions(t *testing.T) {
	questions, predictions := goldenGQAQuestions(t)
	want, err := GQA(questions, predictions)
	if err != nil {
		t.Fatal(err)
	}
	input := golden[map[string]any](t, "gqa_input.json")
	path, choices := save(t, input["questions"]), save(t, input["choices"])
	read, err := ReadGQAQuestions(path, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := GQA(read, predictions)
	if err != nil {
		t.Fatal(err)
	}
	for _, score := range []*GQAScore{got, want} { // sums in another order differ in the last bits
		*score.Distribution = float64(float32(*score.Distribution))
		*score.Consistency = float64(float32(*score.Consistency))
	}
	if want.Validity == nil || !reflect.DeepEqual(got, want) {
		t.Errorf("from the files %v\nwant %v", got, want)
	}
	some, err := ReadGQAQuestions(path, "", func(id string) bool { return id == questions[3].ID })
	if err != nil || len(some) != 1 || some[0].ID != questions[3].ID || some[0].Choices != nil {
		t.Errorf("one of them: %+v, %v", some, err)
	}
}

func TestOfficialRefuses(t *testing.T) {
	annotations := func(path string) error { _, err := ReadVQAAnnotations(path); return err }
	gqa := func(path string) error { _, err := ReadGQAQuestions(path, "", nil); return err }
	for name, test := range map[string]struct {
		read func(string) error
		text string
		want string
	}{
		"no annotations": {annotations, `{"questions": []}`, "found no key annotations"},
		"no id":          {annotations, `{"annotations": [{"answers": []}]}`, "record 0: question_id: found none"},
		"id":             {annotations, `{"annotations": [{"question_id": "x"}]}`, "record 0: "},
		"no answer":      {annotations, `{"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}, {}]}]}`, "record 0: answers: entry 1"},
		"cut short":      {annotations, `{"annotations": [{"question_id": 1, "answers": [`, "no JSON"},
		"what follows":   {annotations, `{"annotations": []} 1`, "want the end of the file"},
		"no truth":       {gqa, `{"7": {"question": "Why?", "isBalanced": true}}`, "record 7: answer: found none"},
		"not balanced":   {gqa, `{"7": {"question": "Why?", "answer": "yes"}}`, "record 7: isBalanced: found none"},
		"type":           {gqa, `{"7": {"question": 1}}`, "record 7: "},
		"a list":         {gqa, `[]`, "found ["},
	} {
		path := save(t, test.text)
		if err := test.read(path); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
	if err := gqa(save(t, `{"7": {"question": "Why?", "isBalanced": true}}`)); !errors.Is(err, ErrNoAnswers) {
		t.Errorf("a test split: %v", err)
	}
}

// TestTrainedFile: what was written comes back; what is no such list is named.
func TestTrainedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), TrainedName)
	if _, err := ReadTrained(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, want := range [][]Trained{{}, append(OriginalPreTraining(), NewTrained("finetune", Split{"mine", "train"}, examples(0, 100)))} {
		if err := WriteTrained(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadTrained(path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for text, want := range map[string]string{
		``:                      "want a JSON list of splits",
		`{}`:                    "want a JSON list of splits",
		`[{"data_set": "vqa"}]`: "entry 0: want data_set and split",
		`[{"data_set": "vqa", "split": "train"}, {"data_set": "a", "split": "b", "examples": -1}]`: "entry 1: examples: found -1",
		`[{"data_set": "vqa", "split": "train", "texts": 7}]`:                                      "entry 0: sketch: found 7",
	} {
		path := save(t, text)
		if _, err := ReadTrained(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error with %q", text, err, want)
		}
	}
}

// TestSplitOf: the names of the files that the data sets' sites, and LXMERT's authors, give out.
func TestSplitOf(t *testing.T) {
	for _, c := range []struct{ dataSet, path, want string }{
		{"vqa", "v2_OpenEnded_mscoco_val2014_questions.json", "val2014"},
		{"vqa", "data/train/v2_OpenEnded_mscoco_test-dev2015_questions.json.zip", "test-dev2015"},
		{"vqa", "minival.json", "minival"},
		{"gqa", "testdev_balanced_questions.json", "testdev"},
		{"gqa", "val_all_questions.json", "val"},
		{"gqa", "train/valid.json", "valid"},
		{"nlvr2", "dev.json", "dev"},
		{"nlvr2", "test1.json", "test1"},
		{"vqa", "My.Questions.csv", "my.questions"},
		{"vqa", "", "."},
		{"vqa", "minival/vqa.json", "minival vqa"},
		{"vqa", "vqa.json", "vqa"},
	} {
		if got := SplitOf(c.dataSet, c.path); got != (Split{c.dataSet, c.want}) {
			t.Errorf("%s: %v, want %s", c.path, got, c.want)
		}
	}
}

// FuzzOfficial: whatever the bytes, each reader gives records or an error, and what ReadTrained takes comes back from WriteTrained.
func FuzzOfficial(f *testing.F) {
	for _, seed := range []string{`{"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}]}]}`, `{"7": {"question": "Why?", "answer": "yes", "isBalanced": true, "semantic": [{"operation": "select", "argument": null}]}}`,
		`{"7": {"valid": ["a"], "plausible": null}}`, `[{"data_set": "vqa", "split": "train", "stage": "finetune", "examples": 7}]`, `{"7":`} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	path, copied := filepath.Join(dir, "file.json"), filepath.Join(dir, TrainedName)
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadVQAAnnotations(path); err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("no file name in: %v", err)
		}
		if _, err := ReadGQAQuestions(path, path, nil); err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("no file name in: %v", err)
		}
		trained, err := ReadTrained(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("no file name in: %v", err)
			}
			return
		}
		if err := WriteTrained(copied, trained); err != nil {
			t.Fatal(err)
		}
		again, err := ReadTrained(copied)
		if err != nil || !reflect.DeepEqual(again, trained) {
			t.Errorf("got %+v, %v; want %+v", again, err, trained)
		}
	})
}
