package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestWriteReadVQA(t *testing.T) {
	want := []Prediction{{"0", "a \"b\" \\ <&>"}, {"9007199254740993", "caf\u00e9 \u2028 \U0001f600 \x7f\x01\t\n"}, {"12", ""}}
	var b bytes.Buffer
	if err := WriteVQA(&b, []string{"0", "9007199254740993", "12"}, []Prediction{want[2], want[0], want[1]}); err != nil {
		t.Fatal(err)
	}
	// As Python's json.dump(indent=4, sort_keys=True).
	const text = "[\n    {\n        \"answer\": \"a \\\"b\\\" \\\\ <&>\",\n        \"question_id\": 0\n    },\n    {\n        " +
		"\"answer\": \"caf\\u00e9 \\u2028 \\ud83d\\ude00 \\u007f\\u0001\\t\\n\",\n        \"question_id\": 9007199254740993\n    },\n    {\n        " +
		"\"answer\": \"\",\n        \"question_id\": 12\n    }\n]"
	if b.String() != text {
		t.Errorf("wrote\n%s\nwant\n%s", b.String(), text)
	}
	got, err := ReadVQA(&b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestWriteReadGQA(t *testing.T) {
	want := []Prediction{{"07333408", "pipe"}, {"0", "\u00fc"}}
	var b bytes.Buffer
	if err := WriteGQA(&b, []string{"07333408", "0"}, []Prediction{want[1], want[0]}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadGQA(&b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestWriteReadNLVR2(t *testing.T) {
	var b bytes.Buffer
	if err := WriteNLVR2(&b, []string{"dev-1-0-0", "dev-1-1-0"}, []Prediction{{"dev-1-1-0", "true"}, {"dev-1-0-0", "FALSE"}}); err != nil {
		t.Fatal(err)
	}
	if b.String() != "dev-1-0-0,False\ndev-1-1-0,True\n" {
		t.Errorf("wrote %q", b.String())
	}
	got, err := ReadNLVR2(&b)
	if want := []Prediction{{"dev-1-0-0", "False"}, {"dev-1-1-0", "True"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %q, %v", got, err)
	}
}

// Nothing is written where anything is wrong, and the error names it.
func TestWriteRefuses(t *testing.T) {
	type write func(w *bytes.Buffer, questions []string, predictions []Prediction) error
	vqa := func(w *bytes.Buffer, q []string, p []Prediction) error { return WriteVQA(w, q, p) }
	gqa := func(w *bytes.Buffer, q []string, p []Prediction) error { return WriteGQA(w, q, p) }
	nlvr2 := func(w *bytes.Buffer, q []string, p []Prediction) error { return WriteNLVR2(w, q, p) }
	for name, c := range map[string]struct {
		write       write
		questions   []string
		predictions []Prediction
		want        string
	}{
		"missing":         {vqa, []string{"1", "2"}, []Prediction{{"1", "a"}}, `1 question without a prediction: "2"`},
		"unknown":         {gqa, []string{"1"}, []Prediction{{"1", "a"}, {"x", "b"}}, `1 question not in the list of questions: "x"`},
		"duplicate":       {nlvr2, []string{"a-1-0-0"}, []Prediction{{"a-1-0-0", "True"}, {"a-1-0-0", "True"}}, `1 question predicted more than once: "a-1-0-0"`},
		"repeated":        {vqa, []string{"1", "1"}, []Prediction{{"1", "a"}}, `1 question more than once in the list of questions: "1"`},
		"VQA text":        {vqa, []string{"x1"}, []Prediction{{"x1", "a"}}, `question "x1": VQA's questions have whole numbers`},
		"VQA zeros":       {vqa, []string{"01"}, []Prediction{{"01", "a"}}, `question "01"`},
		"VQA huge":        {vqa, []string{"9999999999999999999"}, []Prediction{{"9999999999999999999", "a"}}, "whole numbers"},
		"VQA negative":    {vqa, []string{"-1"}, []Prediction{{"-1", "a"}}, "whole numbers"},
		"GQA empty":       {gqa, []string{""}, []Prediction{{"", "a"}}, "want a name"},
		"no questions":    {gqa, nil, nil, "no questions"},
		"not UTF-8":       {vqa, []string{"1"}, []Prediction{{"1", "\xff"}}, `prediction for "1": "\xff" is not UTF-8`},
		"not an answer":   {nlvr2, []string{"a-1-0-0"}, []Prediction{{"a-1-0-0", "1"}}, `prediction for "a-1-0-0": found "1", want True or False`},
		"not an example":  {nlvr2, []string{"a-1"}, []Prediction{{"a-1", "True"}}, `identifier "a-1": want split-set-pair-sentence`},
		"breaks the line": {nlvr2, []string{"a-1-0-0,\n"}, []Prediction{{"a-1-0-0,\n", "True"}}, "would break the line"},
		"no examples":     {nlvr2, nil, nil, "no questions"},
	} {
		var b bytes.Buffer
		err := c.write(&b, c.questions, c.predictions)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if b.Len() != 0 {
			t.Errorf("%s: wrote %q", name, b.String())
		}
	}
}

func TestReadRefuses(t *testing.T) {
	type read func(s string) error
	vqa := func(s string) error { _, err := ReadVQA(strings.NewReader(s)); return err }
	gqa := func(s string) error { _, err := ReadGQA(strings.NewReader(s)); return err }
	nlvr2 := func(s string) error { _, err := ReadNLVR2(strings.NewReader(s)); return err }
	for _, c := range []struct {
		read       read
		file, want string
	}{
		{vqa, "", "empty, want a JSON list"},
		{vqa, `{"question_id":1}`, "want a JSON list"},
		{vqa, `x`, "invalid character"},
		{vqa, `[{"question_id":1,"answer":"a"},{"question_id":"2","answer":"b"}]`, "record 2: question_id: found a string, want a whole number"},
		{vqa, `[{"question_id":1.5,"answer":"a"}]`, "record 1: question_id: found number 1.5, want a whole number"},
		{vqa, `[{"question_id":-1,"answer":"a"}]`, "record 1: question_id: found -1"},
		{vqa, `[{"question_id":1}]`, "record 1: no answer"},
		{vqa, `[{"question_id":1,"answer":null}]`, "record 1: no answer"},
		{vqa, `[{"answer":"a"}]`, "record 1: no question_id"},
		{vqa, `[{"question_id":1,"answer":2}]`, "record 1: answer: found number, want a string"},
		{vqa, `[{"question_id":1,"answer":"a"},`, "record 2: the file ends before the list does"},
		{vqa, `[{"question_id":1,"answer":"a"}`, "after record 1: the file ends before the list does"},
		{vqa, `[{"question_id":1,"answer":"a"}] []`, "after record 1: want nothing after the list"},
		{vqa, "[{\"question_id\":1,\"answer\":\"\xff\"}]", "record 1: not UTF-8"},
		{gqa, `[{"questionId":1,"prediction":"a"}]`, "record 1: questionId: found number, want a string"},
		{gqa, `[{"questionId":"1"}]`, "record 1: no prediction"},
		{gqa, `[{"question_id":"1","prediction":"a"}]`, "record 1: no questionId"},
		{nlvr2, "dev-1-0-0,True\ndev-1-1-0", `line 2: found "dev-1-1-0", want identifier,True`},
		{nlvr2, "identifier,prediction", `line 1: identifier "identifier"`},
		{nlvr2, "\ndev-1-0-0,1", `line 2: found "1", want True or False`},
		{nlvr2, "dev-1-0-0,True,", `line 1: found "True,", want True or False`},
		{nlvr2, "dev-1-0-0,True\n" + strings.Repeat("x", longestLine), "line 2 is longer"},
	} {
		if err := c.read(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: error %v, want %q", c.file, err, c.want)
		}
	}
}

// What is read can be written and read again; no file makes a reader panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"question_id":1,"answer":"a"},{"question_id":2,"answer":"\ud83d\ude00"}]`))
	f.Add([]byte(`[{"questionId":"01","prediction":"a"}]`))
	f.Add([]byte("dev-1-0-0,True\r\n\ndev-1-1-0,false"))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, format := range []struct {
			read  func() ([]Prediction, error)
			write func(w *bytes.Buffer, q []string, p []Prediction) error
			again func(w *bytes.Buffer) ([]Prediction, error)
		}{
			{func() ([]Prediction, error) { return ReadVQA(bytes.NewReader(content)) },
				func(w *bytes.Buffer, q []string, p []Prediction) error { return WriteVQA(w, q, p) },
				func(w *bytes.Buffer) ([]Prediction, error) { return ReadVQA(w) }},
			{func() ([]Prediction, error) { return ReadGQA(bytes.NewReader(content)) },
				func(w *bytes.Buffer, q []string, p []Prediction) error { return WriteGQA(w, q, p) },
				func(w *bytes.Buffer) ([]Prediction, error) { return ReadGQA(w) }},
			{func() ([]Prediction, error) { return ReadNLVR2(bytes.NewReader(content)) },
				func(w *bytes.Buffer, q []string, p []Prediction) error { return WriteNLVR2(w, q, p) },
				func(w *bytes.Buffer) ([]Prediction, error) { return ReadNLVR2(w) }},
		} {
			predictions, err := format.read()
			if err != nil || len(predictions) == 0 {
				continue
			}
			questions := ids(predictions, func(p *Prediction) string { return p.ID })
			var b bytes.Buffer
			if err := format.write(&b, questions, predictions); err != nil {
				var match *MatchError
				if errors.As(err, &match) && len(match.Repeated) > 0 {
					continue
				}
				t.Fatalf("read %q, but: %v", predictions, err)
			}
			again, err := format.again(&b)
			if err != nil {
				t.Fatal(err)
			}
			for i := range predictions { // NLVR2's answers change their case
				if !strings.EqualFold(again[i].Answer, predictions[i].Answer) || again[i].ID != predictions[i].ID {
					t.Fatalf("read %q, wrote and read %q", predictions[i], again[i])
				}
			}
		}
	})
}

// quoted is JSON that reads back as the text.
func FuzzQuoted(f *testing.F) {
	f.Add("\x00\u2028\U0010ffff\"\\/")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		var again string
		if err := json.Unmarshal([]byte(quoted(s)), &again); err != nil || again != s {
			t.Errorf("%q became %s, read back as %q, %v", s, quoted(s), again, err)
		}
	})
}
