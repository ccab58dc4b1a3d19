package answers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// shared reads a file of the reference data, which lies beside the repository.
func shared(t *testing.T, into any, path ...string) string {
	t.Helper()
	name := filepath.Join(append([]string{"..", "..", "..", "shared"}, path...)...)
	content, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("the reference data is not here: %v", err)
	}
	if into != nil {
		if err := json.Unmarshal(content, into); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// The tables of each choice of data sets, and the rows that fine-tuning takes over.
func TestGoldenTable(t *testing.T) {
	var want struct {
		Tables map[string]struct {
			Size        int
			First, Last []string
			SHA256      string `json:"sha256_of_answers_joined_by_newline"`
		}
		Load map[string]json.RawMessage `json:"load_lxmert_qa"`
	}
	shared(t, &want, "golden", "eval", "lxmert_answer_table.json")
	table, err := ReadTable(shared(t, nil, "data", "labels", "all_ans.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range want.Tables {
		of := table
		if name != "all" {
			of = table.Of(strings.FieldsFunc(name, func(r rune) bool { return r == ',' || r == '+' })...)
		}
		var list []string
		for _, e := range of.Entries() {
			list = append(list, e.Answer)
		}
		sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
		if of.Len() != w.Size || !slices.Equal(list[:5], w.First) || !slices.Equal(list[len(list)-5:], w.Last) || hex.EncodeToString(sum[:]) != w.SHA256 {
			t.Errorf("%s: %d answers, %q … %q, want %d", name, of.Len(), list[:5], list[len(list)-5:], w.Size)
		}
	}
	for name, raw := range want.Load {
		var ids []int
		if json.Unmarshal(raw, &ids) != nil {
			var record map[string]json.RawMessage
			if err := json.Unmarshal(raw, &record); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, value := range record {
				if json.Unmarshal(value, &ids) == nil && len(ids) > 100 {
					break
				}
			}
		}
		var labels []string
		shared(t, &labels, "data", "labels", strings.ToLower(name)+"_trainval_label2ans.json")
		if got := table.Match(labels); !slices.Equal(got, ids) {
			t.Errorf("%s: the rows taken over differ (%d, want %d)", name, len(got), len(ids))
		}
	}
	if len(want.Tables) < 3 || len(want.Load) < 2 {
		t.Errorf("%d tables, %d lists to take over", len(want.Tables), len(want.Load))
	}
}

func TestGoldenSoft(t *testing.T) {
	var want struct {
		Official map[string]float64 `json:"official_accuracy_by_count_of_matching_human_answers"`
		Observed []struct {
			Human []string `json:"human_answers"`
			Label map[string]float64
		} `json:"observed_lxmert_labels"`
	}
	shared(t, &want, "golden", "eval", "vqa_soft_scores.json")
	var labels []string
	shared(t, &labels, "data", "labels", "vqa_trainval_label2ans.json")
	for n := 1; n <= 10; n++ {
		given := slices.Repeat([]string{"yes"}, n)
		for i := n; i < 10; i++ {
			given = append(given, "no")
		}
		key, _ := json.Marshal(n)
		if got := Soft(given)[0].Score; got != want.Official[string(key)] {
			t.Errorf("%d of ten: %v, want %v", n, got, want.Official[string(key)])
		}
	}
	checked := 0
	for _, o := range want.Observed {
		if len(o.Human) == 0 {
			continue
		}
		checked++
		got := map[string]float64{}
		for _, s := range Soft(o.Human) {
			if slices.Contains(labels, s.Answer) {
				got[s.Answer] = s.Score
			}
		}
		if !reflect.DeepEqual(got, o.Label) {
			t.Errorf("%q: got %v, want %v", o.Human, got, o.Label)
		}
	}
	if checked == 0 {
		t.Error("no example with people's answers")
	}
}

// What the reference data does not have to hand.
func TestOfficial(t *testing.T) {
	for raw, want := range map[string]string{
		"somebody'd":              "somebodyd",
		"couldnt've":              "couldn't've",
		"Im":                      "im",
		"The  None\u00a0of\x1cit": "0 of it",
		strings.Repeat(".", 33):   ".",
		"3.5.":                    "3.5",
		"a":                       "",
		"yes,no 1,2":              "yesno 12",
	} {
		if got := Official(raw); got != want {
			t.Errorf("%q becomes %q, want %q", raw, got, want)
		}
	}
}

func TestSoft(t *testing.T) {
	if got := Soft([]string{"red"}); !reflect.DeepEqual(got, []Score{{"red", 1}}) {
		t.Errorf("one answer: %v", got)
	}
	if got := Soft([]string{"a", "b", "a", "c", "d"}); !reflect.DeepEqual(got, []Score{{"a", 1}, {"b", 0.6}, {"c", 0.6}, {"d", 0.6}}) {
		t.Errorf("five answers: %v", got)
	}
	if Soft(nil) != nil {
		t.Error("no answers have scores")
	}
}

func TestCounter(t *testing.T) {
	c := NewCounter()
	for _, a := range []string{"cat", "dog", "cat", "emu", "cat", "dog", "ant"} {
		c.Add("vqa", a)
	}
	c.Add("gqa", "dog")
	if got := c.AtLeast(2); !slices.Equal(got, []string{"cat", "dog"}) || c.Len() != 4 {
		t.Errorf("at least twice: %v", got)
	}
	table := c.Table(3)
	if want := []Entry{{"ant", []string{"vqa"}}, {"cat", []string{"vqa"}}, {"dog", []string{"vqa", "gqa"}}}; !reflect.DeepEqual(table.Entries(), want) {
		t.Errorf("table %v, want %v", table.Entries(), want)
	}
	if got := c.Covered([]string{"cat", "dog"}); got != 0.75 {
		t.Errorf("covered %v", got)
	}
	path := filepath.Join(t.TempDir(), "all_ans.json")
	if err := table.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := ReadTable(path)
	if err != nil || !reflect.DeepEqual(again, table) {
		t.Errorf("%+v, %v", again, err)
	}
	dir := t.TempDir()
	if err := WriteList(dir, "trainval", []string{"cat", "<b>"}); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(filepath.Join(dir, "trainval_ans2label.json"))
	if string(content) != "{\n  \"<b>\": 1,\n  \"cat\": 0\n}\n" {
		t.Errorf("%s", content)
	}
	if err := WriteList(dir, "x", []string{"cat", "cat"}); err == nil || !strings.Contains(err.Error(), `"cat" comes twice`) {
		t.Errorf("twice: %v", err)
	}
}

func TestReadTableRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`[{"ans": "a"}, {"ans": "b"}, {"ans": "a"}]`: `entry 2: answer "a" is entry 0 already`,
		`[{"dsets": []}]`: "entry 0: ans is missing",
		`{"a": 1}`:        "found an object, want a list",
		`[`:               "unexpected end",
	} {
		path := filepath.Join(t.TempDir(), "t.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTable(path); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// No table makes the parser panic, and what it accepts finds each of its answers.
func FuzzTable(f *testing.F) {
	f.Add([]byte(`[{"ans": "a", "dsets": ["vqa"]}, {"ans": ""}]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := parseTable(content)
		if err != nil {
			return
		}
		for i, e := range table.Entries() {
			if id, ok := table.ID(e.Answer); !ok || id != i {
				t.Errorf("answer %q has id %d, %v, want %d", e.Answer, id, ok, i)
			}
		}
		table.Of("vqa")
	})
}
