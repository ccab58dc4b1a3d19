package answers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// beside reads a file of the reference data that lies beside the repository.
func beside(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile("../../../shared/" + path)
	if err != nil {
		t.Skipf("no reference data beside the repository: %v", err)
	}
	return content
}

// Golden: the original's table for each choice of data sets, and where the heads of its fine-tuning tasks come from.
func TestTableGolden(t *testing.T) {
	all := beside(t, "data/labels/all_ans.json")
	var want struct {
		Tables map[string]struct {
			Size        int
			First, Last []string
			SHA256      string `json:"sha256_of_answers_joined_by_newline"`
		}
		Load map[string]struct {
			Labels, Loaded int
			NotLoaded      int   `json:"not_loaded"`
			IDs            []int `json:"pretraining_id_of_label"`
		} `json:"load_lxmert_qa"`
	}
	if err := json.Unmarshal(beside(t, "golden/eval/lxmert_answer_table.json"), &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Tables) != 6 || len(want.Load) != 2 {
		t.Fatalf("%d tables and %d transfers, want 6 and 2", len(want.Tables), len(want.Load))
	}
	for name, w := range want.Tables {
		var sets []string
		if name != "all" {
			sets = strings.Split(name, ",")
		}
		table, err := ParseTable(all, sets...)
		if err != nil {
			t.Fatal(err)
		}
		answers := table.Answers()
		sum := sha256.Sum256([]byte(strings.Join(answers, "\n")))
		if table.Len() != w.Size || !slices.Equal(answers[:5], w.First) || !slices.Equal(answers[len(answers)-5:], w.Last) || hex.EncodeToString(sum[:]) != w.SHA256 {
			t.Errorf("%s: %d answers %q...%q, want %d %q...%q", name, table.Len(), answers[:5], answers[len(answers)-5:], w.Size, w.First, w.Last)
		}
	}
	table, err := ParseTable(all)
	if err != nil {
		t.Fatal(err)
	}
	for task, w := range want.Load {
		var labels []string
		if err := json.Unmarshal(beside(t, "data/labels/"+task+"_trainval_label2ans.json"), &labels); err != nil {
			t.Fatal(err)
		}
		ids := table.IDs(labels)
		missing := 0
		for _, id := range ids {
			if id < 0 {
				missing++
			}
		}
		if len(labels) != w.Labels || missing != w.NotLoaded || !slices.Equal(ids, w.IDs) {
			t.Errorf("%s: %d labels, %d without a pre-training answer; want %d, %d", task, len(labels), missing, w.Labels, w.NotLoaded)
		}
	}
	var converted []struct {
		Raw string
		ID  *int
	}
	if err := json.Unmarshal(beside(t, "golden/eval/lxmert_convert_ans.json"), &converted); err != nil {
		t.Fatal(err)
	}
	for _, c := range converted {
		want := -1
		if c.ID != nil {
			want = *c.ID
		}
		if got := table.ID(c.Raw); got != want {
			t.Errorf("%q has id %d, want %d", c.Raw, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	content := []byte(`[{"ans":"2","dsets":["vqa","gqa"]},{"ans":"gray","dsets":["gqa"]},{"ans":"red","dsets":["vqa"]}]`)
	table, err := ParseTable(content, "gqa")
	if err != nil {
		t.Fatal(err)
	}
	if got := table.IDs([]string{"Two.", "the grey", "red", ""}); !slices.Equal(got, []int{0, 1, -1, -1}) {
		t.Errorf("ids %v", got)
	}
	for text, want := range map[string]string{
		`[]`:                           "no answers",
		`{`:                            "unexpected end",
		`[{"ans":"a"},{"ans":"a"}]`:    `answer "a" has two ids, 0 and 1`,
		`[{"ans":"a"},{"answer":"b"}]`: "entry 1 has no ans",
	} {
		if _, err := ParseTable([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseTable(content, "vqa", "visual7w"); err == nil || err.Error() != `no answer is from data set "visual7w"` {
		t.Errorf("error %v", err)
	}
}
