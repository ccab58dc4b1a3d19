package blocks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

// Files writes scenes to learn from and to be judged by into a directory, as the command reads them: features.tsv, vocab.txt, labels.json and
// all_ans.json, and of questions, statements and sentences vqa_train.json, vqa_valid.json, nlvr2_…, pretrain_….
func Files(t testing.TB, learn, judge []Scene) (dir string) {
	t.Helper()
	dir = t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string, content []byte) { check(os.WriteFile(filepath.Join(dir, name), content, 0o644)) }

	features, err := os.Create(filepath.Join(dir, "features.tsv"))
	check(err)
	defer features.Close()
	w := data.NewTSVWriter(features)
	for _, part := range [][]Scene{learn, judge} {
		for _, s := range part {
			check(w.Write(s.ID, s.Regions))
		}
	}
	put("vocab.txt", []byte(Words))
	labels, err := json.Marshal(Labels)
	check(err)
	put("labels.json", labels)
	entries := make([]answers.Entry, len(PreTrainingLabels))
	for i, answer := range PreTrainingLabels {
		entries[i] = answers.Entry{Answer: answer, DataSets: []string{"vqa"}}
	}
	table, err := answers.NewTable(entries)
	check(err)
	check(table.Write(filepath.Join(dir, "all_ans.json")))
	for name, scenes := range map[string][]Scene{"train.json": learn, "valid.json": judge} {
		first := int64(0)
		if name == "valid.json" {
			first = 100_000
		}
		_, err := questions.Write(filepath.Join(dir, "vqa_"+name), Seq(Questions(scenes, first)))
		check(err)
		_, err = questions.Write(filepath.Join(dir, "nlvr2_"+name), Seq(Statements(scenes)))
		check(err)
		_, _, err = questions.WritePretraining(filepath.Join(dir, "pretrain_"+name), Seq(Sentences(scenes)), true)
		check(err)
	}
	return dir
}
