package model

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestDefaultConfig(t *testing.T) {
	c, err := ReadConfig(strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, DefaultConfig()) {
		t.Errorf("an empty config.json gives %+v", c)
	}
}

// TestConfigRoundTrip: what a file says comes back, known or not.
func TestConfigRoundTrip(t *testing.T) {
	const file = `{"model_type":"lxmert","hidden_size":48,"num_attention_heads":4,"hidden_act":"relu",
		"num_hidden_layers":{"language":3,"vision":2,"cross_encoder":1},
		"id2label":{"0":"yes","10":"no","2":"maybe"},"label2id":{"yes":0},"task_qa":false,
		"torch_dtype":"float32","architectures":["LxmertForQuestionAnswering"],
		"some_future_key":{"nested":[1,2.50,1e400,null,"x"]},"big":12345678901234567890}`
	c, err := ReadConfig(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if c.LanguageLayers != 3 || c.VisionLayers != 2 || c.CrossLayers != 1 {
		t.Errorf("depths are %d, %d, %d", c.LanguageLayers, c.VisionLayers, c.CrossLayers)
	}
	if c.ID2Label[10] != "no" || c.TaskQA || c.HiddenAct != "relu" {
		t.Errorf("read %+v", c)
	}
	var written bytes.Buffer
	if _, err := c.WriteTo(&written); err != nil {
		t.Fatal(err)
	}
	again, err := ReadConfig(bytes.NewReader(written.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("written and read again:\n%+v\nwant\n%+v", again, c)
	}
	var before, after map[string]json.RawMessage
	if err := json.Unmarshal([]byte(file), &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written.Bytes(), &after); err != nil {
		t.Fatal(err)
	}
	for key, value := range before {
		var want, got bytes.Buffer
		if err := json.Compact(&want, value); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&got, after[key]); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if key != "num_hidden_layers" && key != "id2label" && got.String() != want.String() {
			t.Errorf("%s: wrote %s, want %s", key, got.String(), want.String())
		}
	}
	// The depths' own keys win over the object.
	c, err = ReadConfig(strings.NewReader(`{"l_layers":4,"num_hidden_layers":{"language":3,"vision":2}}`))
	if err != nil || c.LanguageLayers != 4 || c.VisionLayers != 2 || c.CrossLayers != 5 {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestConfigValidateListsAll: every mistake is in the error, under its key.
func TestConfigValidateListsAll(t *testing.T) {
	_, err := ReadConfig(strings.NewReader(`{"vocab_size":0,"hidden_size":50,"num_attention_heads":12,
		"hidden_act":"gelux","hidden_dropout_prob":1.5,"l_layers":-1,"r_layers":0,"x_layers":0,
		"visual_feat_dim":-3,"num_qa_labels":99999999,"initializer_range":-1}`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, key := range []string{"vocab_size", "num_attention_heads", "hidden_act", "hidden_dropout_prob", "l_layers", "r_layers",
		"visual_feat_dim", "num_qa_labels", "initializer_range"} {
		if !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%q is not named in:\n%v", key, err)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	for file, want := range map[string]string{
		``:                                       "unexpected end",
		`[]`:                                     "want a JSON object",
		`null`:                                   "want a JSON object",
		`{"hidden_size":"768"}`:                  `hidden_size: found "768", want a whole number`,
		`{"hidden_size":7.5}`:                    "hidden_size: found 7.5, want a whole number",
		`{"task_qa":1}`:                          "task_qa: found 1, want true or false",
		`{"hidden_act":3}`:                       "hidden_act: found 3, want a string",
		`{"id2label":["yes"]}`:                   "id2label",
		`{"id2label":{"x":"yes"}}`:               "id2label",
		`{"model_type":"bert"}`:                  `model_type: found "bert", want "lxmert"`,
		`{"num_hidden_layers":{"a":"b"}`:         "unexpected end",
		`{"num_hidden_layers":{"language":"b"}}`: "num_hidden_layers",
	} {
		if _, err := ReadConfig(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", file, err, want)
		}
	}
}

func TestConfigSet(t *testing.T) {
	c := DefaultConfig()
	for _, set := range [][2]string{{"hidden_act", "relu"}, {"hidden_size", "96"}, {"task_qa", "false"}, {"visual_loss_normalizer", "2.5"}, {"hidden_act", `"tanh"`}} {
		if err := c.Set(set[0], set[1]); err != nil {
			t.Error(err)
		}
	}
	if c.HiddenAct != "tanh" || c.HiddenSize != 96 || c.TaskQA || c.VisualLossNormalizer != 2.5 {
		t.Errorf("got %+v", c)
	}
	for _, set := range [][2]string{{"hiden_size", "1"}, {"hidden_size", "x"}, {"hidden_size", "1.5"}, {"task_qa", "yes"}} {
		if err := c.Set(set[0], set[1]); err == nil || !strings.Contains(err.Error(), set[0]) {
			t.Errorf("Set(%q, %q): %v", set[0], set[1], err)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(`{"hidden_size":48,"num_hidden_layers":{"language":3},"id2label":{"0":"yes"},"x":1}`))
	f.Add([]byte(`{"hidden_size":null,"id2label":{"-1":"yes"},"num_hidden_layers":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadConfig(bytes.NewReader(data))
		if err != nil {
			return
		}
		var written bytes.Buffer
		if _, err := c.WriteTo(&written); err != nil {
			t.Fatal(err)
		}
		again, err := ReadConfig(&written)
		if err != nil {
			t.Fatalf("cannot read what it wrote: %v", err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("wrote and read %+v, want %+v", again, c)
		}
	})
}
