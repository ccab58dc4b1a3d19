package jsonerror

import (
	"encoding/json"
	"testing"
)

func TestExplain(t *testing.T) {
	var into struct {
		Text string `json:"text"`
		Call struct {
			Max int `json:"max_length"`
		} `json:"call"`
		Texts []string `json:"texts"`
		Flag  *bool    `json:"flag"`
	}
	for content, want := range map[string]string{
		`{"text": 5}`:                   "text: found number, want a string",
		`{"call": {"max_length": "x"}}`: "call.max_length: found a string, want a whole number",
		`{"call": [1]}`:                 "call: found a list, want an object",
		`{"texts": "a"}`:                "texts: found a string, want a list",
		`{"flag": 3}`:                   "flag: found number, want true or false",
		`[1]`:                           "found a list, want an object",
		`{`:                             "unexpected end of JSON input",
	} {
		err := Explain(json.Unmarshal([]byte(content), &into))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", content, err, want)
		}
	}
	if err := Explain(nil); err != nil {
		t.Errorf("of nothing: %v", err)
	}
}
