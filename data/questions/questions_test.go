package questions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data/answers"
)

func save(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// collect takes all questions, and the errors that came among them.
func collect(seq Seq) (all []Question, errs []error) {
	for q, err := range seq {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, q)
	}
	return all, errs
}

func collected(t *testing.T, seq Seq, want ...Question) {
	t.Helper()
	all, errs := collect(seq)
	if errs != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("got %+v, %v,\nwant %+v", all, errs, want)
	}
}

// said wants errors that say these things, one each.
func said(t *testing.T, seq Seq, wants ...string) {
	t.Helper()
	_, errs := collect(seq)
	if len(errs) != len(wants) {
		t.Errorf("got %v, want %d errors: %q", errs, len(wants), wants)
		return
	}
	for i, want := range wants {
		if !strings.Contains(errs[i].Error(), want) {
			t.Errorf("error %d is %q, want it to say %q", i, errs[i], want)
		}
	}
}

const vqaAsked = `{"info": {"year": 2017}, "task_type": "Open-Ended", "data_type": "mscoco", "license": {},
"data_subtype": "val2014", "questions": [
 {"image_id": 42, "question": "What is it?", "question_id": 42000},
 {"image_id": 42, "question": "Is it red?", "question_id": 42001},
 {"image_id": 393225, "question": "How many?", "question_id": 393225000}]}`

// ten answers, of which the first n are one and the others another.
func ten(one, other string, n int) string {
	var list []string
	for i := range 10 {
		answer := one
		if i >= n {
			answer = other
		}
		list = append(list, fmt.Sprintf(`{"answer": %q, "answer_confidence": "yes", "answer_id": %d}`, answer, i+1))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func vqaAnnotated(records ...string) string {
	return `{"info": {}, "annotations": [` + strings.Join(records, ",\n") + `], "data_subtype": "val2014"}`
}

func annotation(id int, answers string) string {
	return fmt.Sprintf(`{"question_type": "what", "multiple_choice_answer": "cat", "answers": %s, "image_id": 42, "answer_type": "other", "question_id": %d}`, answers, id)
}

func TestVQA(t *testing.T) {
	asked := save(t, "q.json", vqaAsked)
	annotated := save(t, "a.json", vqaAnnotated(annotation(42001, ten("yes", "no", 8)), annotation(42000, ten("cat", "a cat", 9)), annotation(393225000, ten("3", "4", 7))))
	one := Question{ID: NumberID(42001), Image: "COCO_val2014_000000000042", Sentence: "Is it red?", QuestionType: "what", AnswerType: "other", Label: []answers.Score{{Answer: "yes", Score: 1}, {Answer: "no", Score: 0.6}}}
	two := Question{ID: NumberID(42000), Image: "COCO_val2014_000000000042", Sentence: "What is it?", QuestionType: "what", AnswerType: "other", Label: []answers.Score{{Answer: "cat", Score: 1}, {Answer: "a cat", Score: 0.3}}}
	three := Question{ID: NumberID(393225000), Image: "COCO_val2014_000000393225", Sentence: "How many?", QuestionType: "what", AnswerType: "other", Label: []answers.Score{{Answer: "3", Score: 1}, {Answer: "4", Score: 0.9}}}
	collected(t, VQA(asked, annotated, nil), one, two, three)
	inUse := func(answer string) bool { return answer == "cat" || answer == "no" }
	one.Label, two.Label, three.Label = one.Label[1:], two.Label[:1], []answers.Score{}
	collected(t, VQA(asked, annotated, inUse), one, two, three)

	test := save(t, "test.json", `{"questions": [{"image_id": 262144, "question": "Why?", "question_id": 262144000}], "data_subtype": "test-dev2015"}`)
	collected(t, VQA(test, "", nil), Question{ID: NumberID(262144000), Image: "COCO_test2015_000000262144", Sentence: "Why?"})

	var common []string
	if err := VQAMostCommon(annotated, func(answer string) { common = append(common, answer) }); err != nil || len(common) != 3 || common[0] != "cat" {
		t.Errorf("%v, %v", common, err)
	}
}

func TestVQARefuses(t *testing.T) {
	asked := save(t, "q.json", vqaAsked)
	good := ten("yes", "no", 8)
	for name, c := range map[string]struct {
		asked, annotated string
		want             []string
	}{
		"unknown question": {vqaAsked, vqaAnnotated(annotation(42000, good), annotation(42001, good), annotation(393225000, good), annotation(7, good)), []string{`record 3 (7): question_id: found "7", which the questions do not have`}},
		"twice":            {vqaAsked, vqaAnnotated(annotation(42000, good), annotation(42000, good), annotation(42001, good), annotation(393225000, good)), []string{"record 1 (42000): question_id: found 42000 a second time"}},
		"no annotation":    {vqaAsked, vqaAnnotated(annotation(42000, good)), []string{"found no annotation for this question and 1 others"}},
		"no answers":       {vqaAsked, vqaAnnotated(annotation(42000, "[]"), annotation(42001, good), annotation(393225000, good)), []string{"record 0 (42000): answers: found none"}},
		"an empty answer":  {vqaAsked, vqaAnnotated(annotation(42000, "[{}]"), annotation(42001, good), annotation(393225000, good)), []string{"answers: entry 0: answer: found none"}},
		"answers a text":   {vqaAsked, vqaAnnotated(annotation(42000, `"yes"`), annotation(42001, good), annotation(393225000, good)), []string{"a.json: record 0: answers: found a string, want a list", "no annotation"}},
		"id a list":        {strings.Replace(vqaAsked, "42001}", "[1]}", 1), vqaAnnotated(annotation(42000, good), annotation(393225000, good)), []string{"q.json: record 1: found [1], want an id"}},
		"no sentence":      {strings.Replace(vqaAsked, "Is it red?", " ", 1), vqaAnnotated(annotation(42000, good), annotation(393225000, good)), []string{"q.json: record 1 (42001): sent: found none"}},
		"asked twice":      {strings.Replace(vqaAsked, "42001", "42000", 1), vqaAnnotated(annotation(42000, good), annotation(393225000, good)), []string{"(42000): question_id: comes a second time"}},
		"cut off":          {vqaAsked, vqaAnnotated(annotation(42000, good))[:100], []string{"a.json: no JSON at byte"}},
		"exchanged":        {vqaAnnotated(), vqaAsked, []string{"q.json: found no key questions"}},
		"exchanged too":    {vqaAsked, vqaAsked, []string{"a.json: found no key annotations"}},
		"another subset":   {strings.Replace(vqaAsked, "val2014", "train2017", 1), vqaAnnotated(), []string{`record 0 (42000): data_subtype: found "train2017"`, "record 1", "record 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			_ = asked
			said(t, VQA(save(t, "q.json", c.asked), save(t, "a.json", c.annotated), nil), c.want...)
		})
	}
	said(t, VQA("none.json", asked, nil), "none.json")
}

func TestGQA(t *testing.T) {
	path := save(t, "g.json", `{"02930152": {"semantic": [], "entailed": ["1"], "equivalent": [], "question": "Is the sky dark?", "imageId": "2354786", "isBalanced": true,
	 "groups": {"global": null, "local": "06-sky_dark"}, "answer": "yes", "semanticStr": "", "annotations": {}, "types": {"detailed": "verifyAttr", "semantic": "attr", "structural": "verify"}, "fullAnswer": "Yes."},
	"07333408": {"question": "What is it?", "imageId": "n161313", "isBalanced": false, "types": {"structural": "query"}, "answer": "pipe"}}`)
	one := Question{ID: TextID("02930152"), Image: "2354786", Sentence: "Is the sky dark?", QuestionType: "verify", Label: []answers.Score{{Answer: "yes", Score: 1}}}
	two := Question{ID: TextID("07333408"), Image: "n161313", Sentence: "What is it?", QuestionType: "query", Label: []answers.Score{{Answer: "pipe", Score: 1}}}
	collected(t, GQA(path, false), one, two)
	collected(t, GQA(path, true), one)
	test := save(t, "t.json", `{"1": {"question": "Who?", "imageId": "n1"}}`)
	collected(t, GQA(test, false), Question{ID: TextID("1"), Image: "n1", Sentence: "Who?"})
	said(t, GQA(test, true), "record 0 (1): isBalanced: found none")
	said(t, GQA(save(t, "t.json", `{"1": {"question": "Who?"}, "2": 5}`), false), "record 0 (1): img_id: found none", "record 1: found number, want an object")
	said(t, GQA(save(t, "t.json", `[]`), false), "found [ at byte 1, want '{'")
}

// The first twenty records in LXMERT's form, and a hash of all five hundred, were written by another program.
func TestGoldenNLVR2(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "nlvr2", "dev_500.json")
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "golden", "eval", "nlvr2_converted.json"))
	if err != nil {
		t.Skipf("the reference data is not here: %v", err)
	}
	var want struct {
		First []map[string]any
	}
	if err := json.Unmarshal(content, &want); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "valid.json")
	n, err := Write(out, Good(Distinct(path, NLVR2(path, "valid"), nil), nil))
	if err != nil || n != 500 {
		t.Fatalf("%d, %v", n, err)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(written, &got); err != nil {
		t.Fatal(err)
	}
	if len(want.First) != 20 || !reflect.DeepEqual(got[:20], want.First) {
		t.Errorf("got %v, want %v", got[:20], want.First)
	}
	again, errs := collect(LXMERT(out))
	raw, _ := collect(NLVR2(path, "valid"))
	if errs != nil || !reflect.DeepEqual(again, raw) {
		t.Errorf("read again: %v, %d questions", errs, len(again))
	}
}

func TestNLVR2(t *testing.T) {
	truth := false
	path := save(t, "dev.json", `{"sentence": "Two dogs.", "identifier": "test1-0-1-2", "label": "False"}
{"sentence": "One dog.", "identifier": "test1-0-1-3"}
`)
	collected(t, NLVR2(path, "test"),
		Question{ID: TextID("test1-0-1-2"), Image: "test1-0-1-img0", Second: "test1-0-1-img1", Sentence: "Two dogs.", Truth: &truth, UID: "nlvr2_test_0"},
		Question{ID: TextID("test1-0-1-3"), Image: "test1-0-1-img0", Second: "test1-0-1-img1", Sentence: "One dog.", UID: "nlvr2_test_1"})
	said(t, NLVR2(save(t, "dev.json", `{"sentence": "x", "identifier": "dev-1"}
{"sentence": "x", "identifier": "dev-1-2-3", "label": "maybe"}
{"sentence": "x", "identifier": "dev-1-2-3", "label": 1}
{`), "valid"), `record 0 (dev-1): identifier: found "dev-1", want split-set-pair-sentence`, `record 1 (dev-1-2-3): label: found "maybe"`, "record 2: label: found number, want a string", "unexpected EOF")
}

func TestCaptions(t *testing.T) {
	content := `{"info": {}, "images": [{"license": 5, "file_name": "COCO_val2014_000000000042.jpg", "id": 42, "height": 478}], "licenses": [], "annotations": [
	{"image_id": 42, "id": 641613, "caption": "A shoe rack. \n"}, {"image_id": 43, "id": 641614, "caption": "A dog"}]}`
	all, errs := collect(COCO(save(t, "c.json", content), ""))
	if want := (Question{ID: NumberID(641613), Image: "COCO_val2014_000000000042", Sentence: "A shoe rack.", Source: "mscoco"}); len(all) != 1 || !reflect.DeepEqual(all[0], want) || len(errs) != 1 || !strings.Contains(errs[0].Error(), "record 1 (641614): image_id: found 43") {
		t.Errorf("%+v, %v", all, errs)
	}
	all, errs = collect(COCO(save(t, "c.json", content), "COCO_train2014_"))
	if len(all) != 2 || errs != nil || all[1].Image != "COCO_train2014_000000000043" {
		t.Errorf("%+v, %v", all, errs)
	}
	collected(t, Regions(save(t, "r.json", `[{"regions": [{"region_id": 1382, "width": 82, "phrase": "the clock is green", "image_id": 1}, {"region_id": 1383, "phrase": "a man "}], "id": 1}]`)),
		Question{ID: NumberID(1382), Image: "1", Sentence: "the clock is green", Source: "vg"}, Question{ID: NumberID(1383), Image: "1", Sentence: "a man", Source: "vg"})
	collected(t, VGQA(save(t, "q.json", `[{"id": 1, "qas": [{"a_objects": [], "question": "What color is the clock?", "image_id": 1, "qa_id": 986768, "answer": "Green.", "q_objects": []}]}]`)),
		Question{ID: NumberID(986768), Image: "1", Sentence: "What color is the clock?", Source: "visual7w", Label: []answers.Score{{Answer: "green", Score: 1}}})
	said(t, Regions(save(t, "r.json", `[{"regions": [{"phrase": 5}, {"phrase": "a"}]}]`)), "record 0: (picture ) phrase: found number, want a string", "record 1: (picture ) img_id: found none")
}

// Questions survive the way through LXMERT's files.
func TestWrite(t *testing.T) {
	truth := true
	want := []Question{
		{ID: NumberID(458752000), Image: "COCO_train2014_000000458752", Sentence: "What is this photo taken looking through?", Label: []answers.Score{{Answer: "net", Score: 1}, {Answer: "\"<é>\"", Score: 0.3}}, QuestionType: "what is this", AnswerType: "other"},
		{ID: TextID("07333408"), Image: "2405722", Sentence: "What is on the white wall?", Label: []answers.Score{}},
		{ID: TextID("9"), Image: "2405722", Sentence: "Unknown?"},
		{ID: TextID("dev-0-0-1"), Image: "dev-0-0-img0", Second: "dev-0-0-img1", Sentence: "x", Truth: &truth, UID: "nlvr2_valid_0"},
	}
	path := filepath.Join(t.TempDir(), "out.json")
	seq := func(yield func(Question, error) bool) {
		for _, q := range want {
			if !yield(q, nil) {
				return
			}
		}
	}
	if n, err := Write(path, seq); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	collected(t, Distinct(path, LXMERT(path), nil), want...)
	content, _ := os.ReadFile(path)
	if first := `{"answer_type":"other","img_id":"COCO_train2014_000000458752","label":{"net":1,"\"<é>\"":0.3},"question_id":458752000,"question_type":"what is this","sent":"What is this photo taken looking through?"}`; !bytes.Contains(content, []byte(first)) || !json.Valid(content) {
		t.Errorf("%s", content)
	}
	if n, err := Write(path, func(func(Question, error) bool) {}); n != 0 || err != nil {
		t.Error(n, err)
	}
	collected(t, LXMERT(path))
	broken := errors.New("broken")
	if _, err := Write(path, func(yield func(Question, error) bool) { yield(Question{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	collected(t, LXMERT(path)) // the old file is still there
}

func TestWritePretraining(t *testing.T) {
	yes := []answers.Score{{Answer: "yes", Score: 1}}
	given := []Question{
		{Image: "b", Sentence: "A dog.", Source: "mscoco"},
		{Image: "a", Sentence: "Is it?", Source: "vqa", Label: yes},
		{Image: "b", Sentence: "Why?", Source: "vqa", Label: []answers.Score{}},
		{Image: "b", Sentence: "Two dogs.", Source: "mscoco"},
	}
	seq := func(yield func(Question, error) bool) {
		for _, q := range given {
			if !yield(q, nil) {
				return
			}
		}
	}
	path := filepath.Join(t.TempDir(), "out.json")
	pictures, sentences, err := WritePretraining(path, seq, false)
	if pictures != 2 || sentences != 4 || err != nil {
		t.Fatal(pictures, sentences, err)
	}
	content, _ := os.ReadFile(path)
	want := `[
{"img_id":"b","labelf":{"vqa":[{}]},"sentf":{"mscoco":["A dog.","Two dogs."],"vqa":["Why?"]}},
{"img_id":"a","labelf":{"vqa":[{"yes":1}]},"sentf":{"vqa":["Is it?"]}}
]
`
	if string(content) != want {
		t.Errorf("%s", content)
	}
	collected(t, LXMERT(path), given[0], given[3], given[2], given[1])
	// Where a picture's sentences follow each other nothing more need be kept; b comes twice.
	if pictures, sentences, err = WritePretraining(path, seq, true); pictures != 3 || sentences != 4 || err != nil {
		t.Error(pictures, sentences, err)
	}
	collected(t, LXMERT(path), given[0], given[1], given[3], given[2])
	given = append(given, Question{Image: "a", Sentence: "No label.", Source: "vqa"})
	if _, _, err := WritePretraining(path, seq, false); err == nil || !strings.Contains(err.Error(), "picture a: some sentences of source vqa have a label") {
		t.Errorf("%v", err)
	}
}

func TestLXMERTRefuses(t *testing.T) {
	for record, want := range map[string]string{
		`{"sent": "x", "question_id": 5}`:                                         "record 0 (5): img_id: found none",
		`{"img_id": "a", "question_id": 5}`:                                       "sent: found none",
		`{"img_id": "a", "sent": "x", "label": {"yes": 1.5}}`:                     `label: found score 1.5 for answer "yes", want 0 to 1`,
		`{"img_id": "a", "sent": "x", "label": {"yes": -0.1}}`:                    "label: found score -0.1",
		`{"img_id": "a", "sent": "x", "label": {"yes": "1"}}`:                     "want an object answer → score",
		`{"img_id": "a", "sent": "x", "label": {"yes": 1, "no": 0.3, "yes": 1}}`:  `answer "yes" comes twice`,
		`{"img_id": "a", "sent": "x", "label": 1}`:                                "label: found 1, want an object",
		`{"img_id": "a", "sent": "x", "label": [1]}`:                              "found [1], want an object",
		`{"img0": "a", "sent": "x", "label": 1}`:                                  "img0, img1: found one of them",
		`{"img0": "a", "img1": "b", "sent": "x", "label": 2}`:                     "label: want 0 or 1",
		`{"img0": "a", "img1": "b", "sent": "x", "label": {}}`:                    "label: want 0 or 1",
		`{"img_id": "a", "sentf": {"vqa": ["x"]}, "labelf": {"vqa": []}}`:         "labelf: found 0 labels for vqa, want 1",
		`{"img_id": "a", "sentf": {"vqa": ["x"]}, "labelf": {"gqa": [{"a": 1}]}}`: "labelf: found gqa, which sentf does not have",
		`{"img_id": "a", "sentf": {"vqa": ["x"]}, "labelf": {"vqa": [1]}}`:        "labelf: vqa: entry 0: found a number",
		`{"img_id": "a", "sentf": {"vqa": [""]}}`:                                 "sent: found none",
		`{"img_id": 5, "sent": "x"}`:                                              "img_id: found number, want a string",
		`{"img_id": "a", "sent": "x", "question_id": ""}`:                         "found an id of 0 bytes",
		`{"img_id": "a", "sent": "x", "question_id": 1.5}`:                        "found 1.5, want an id",
		`5`: "found number, want an object",
	} {
		path := save(t, "l.json", `[`+record+`, {"img_id": "good", "sent": "x"}]`)
		said(t, LXMERT(path), want)
		var skipped Skipped
		all, errs := collect(Good(LXMERT(path), &skipped))
		if len(all) != 1 || errs != nil || skipped.Count != 1 || len(skipped.First) != 1 {
			t.Errorf("%s: skipping: %v, %v, %+v", record, all, errs, skipped)
		}
		if all, errs := collect(Good(LXMERT(path), nil)); len(all) != 0 || len(errs) != 1 {
			t.Errorf("%s: not skipping: %v, %v", record, all, errs)
		}
	}
	path := save(t, "l.json", `[{"img_id": "a", "sent": "x", "question_id": 1}, {"img_id": "a", "sent": "y", "question_id": "1"}, {"img_id": "b", "sent": "z", "question_id": 1}]`)
	said(t, Distinct(path, LXMERT(path), nil), "record 2 (1): id: comes a second time")
	said(t, LXMERT(save(t, "l.json", `{}`)), "found { at byte 1, want '['")
	said(t, LXMERT(save(t, "l.json", `[{"img_id": "a", "sent": "x"}`)), "unexpected EOF")
}

// A data set of one's own may come in several forms.
func TestOwn(t *testing.T) {
	want := []Question{
		{ID: NumberID(0), Image: "cat.jpg", Sentence: "What is it, then?", Label: []answers.Score{{Answer: "cat", Score: 1}, {Answer: "dog", Score: 0.6}}},
		{ID: NumberID(1), Image: "7", Sentence: "Why?"},
	}
	official := answers.Official
	for name, content := range map[string]string{
		"x.csv":   "\ufeffimage,question,answers,note\ncat.jpg,\"What is it, then?\",cat|A cat.|the cat|Cat|dog|cat|cat|dog|cat|cat,x\n7,Why?,,y\n",
		"y.csv":   "question,IMG_ID,answer_1,answer 2,answer3,answer4,answer5,answer6,answer7,answer8,answer9,answer10\n\"What is it, then?\",cat.jpg,cat,cat,cat,cat,cat,cat,cat,cat,dog,Dog\nWhy?,7,,,,,,,,,,\n",
		"x.jsonl": `{"image": "cat.jpg", "question": "What is it, then?", "answers": ["cat", "a cat", "cat", "cat", "cat", "cat", "cat", "cat", "dog", "dog!"]}` + "\n" + `{"image": 7, "sent": "Why?"}`,
		"x.json":  `[{"img_id": "cat.jpg", "sentence": " What is it, then? ", "answers": [` + strings.Repeat(`{"answer": "cat", "answer_id": 1}, `, 8) + `{"answer": "dog"}, "dog"]}, {"image_id": 7, "question": "Why?", "answers": []}]`,
	} {
		t.Run(name, func(t *testing.T) { collected(t, Own(save(t, name, content), official), want...) })
	}
	collected(t, Own(save(t, "one.csv", "id,image,question,answer\nq1,a,Why?,Because.\n"), nil),
		Question{ID: TextID("q1"), Image: "a", Sentence: "Why?", Label: []answers.Score{{Answer: "Because.", Score: 1}}})
	said(t, Own(save(t, "x.csv", "image,question\na,b,c\n,Why?\na,\na,b\n"), nil), "record 0: (line 2) found 3 columns, want 2", "record 1 (1): (line 3) img_id: found none", "record 2 (2): (line 4) sent: found none")
	said(t, Own(save(t, "x.csv", ""), nil), "the file is empty")
	said(t, Own(save(t, "x.csv", "picture,question\n"), nil), "header: found 0 columns for image")
	said(t, Own(save(t, "x.csv", "image,img_id,question\n"), nil), "header: found 2 columns for image")
	said(t, Own(save(t, "x.csv", "image,question\na,\""+strings.Repeat("x\n", maxCSVRecord)), nil), "one record has more than")
	said(t, Own(save(t, "x.jsonl", `{"image": "a", "question": "b", "answers": [5]}`+"\n"+`{"image": "a", "question": 5}`), nil), "answers: found 5, want texts", "question: found number, want a string")
	said(t, Own(save(t, "x.json", " "), nil), "the file is empty")
}
