package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestLogLines: the lines are those that were agreed on, and come back as they went.
func TestLogLines(t *testing.T) {
	for _, test := range []struct {
		record any
		line   string
	}{
		{StepRecord{Step: 12, Epoch: 1, Loss: 1.23, Losses: map[string]float64{"words": 0.5, "matched": 0.1}, GradientNorm: 2.1, LearningRate: 0.0001, Seconds: 0.93},
			`{"step":12,"epoch":1,"loss":1.23,"losses":{"matched":0.1,"words":0.5},"grad_norm":2.1,"lr":0.0001,"seconds":0.93}`},
		{StepRecord{Step: 1, Epoch: 1}, `{"step":1,"epoch":1,"loss":0,"grad_norm":0,"lr":0,"seconds":0}`},
		{EpochRecord{Epoch: 1, Step: 500, TrainLoss: new(1.1), TrainScore: new(0.41), ValidLoss: new(1.0), ValidScore: new(0.52), ValidLosses: map[string]float64{"words": 2}, Seconds: 312.5},
			`{"step":500,"epoch":1,"train_loss":1.1,"train_score":0.41,"valid_loss":1,"valid_score":0.52,"valid_losses":{"words":2},"seconds":312.5}`},
		{EpochRecord{Epoch: 2, Step: 9, Seconds: 3}, `{"step":9,"epoch":2,"seconds":3}`},
	} {
		line, err := json.Marshal(test.record)
		if err != nil || string(line) != test.line {
			t.Errorf("got %s, %v, want %s", line, err, test.line)
		}
		var back LogRecord
		if err := json.Unmarshal([]byte(test.line), &back); err != nil {
			t.Errorf("%s: %v", test.line, err)
			continue
		}
		var got any
		if back.Step != nil && back.Epoch == nil {
			got = *back.Step
		} else if back.Epoch != nil {
			got = *back.Epoch
		}
		if !reflect.DeepEqual(got, test.record) {
			t.Errorf("%s came back as %+v", test.line, got)
		}
	}
}

// TestLogNotFinite: null, and still a step; an epoch's null is not what is missing.
func TestLogNotFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	line, err := json.Marshal(StepRecord{Step: 1, Epoch: 1, Loss: nan, Losses: map[string]float64{"words": inf}, GradientNorm: inf})
	want := `{"step":1,"epoch":1,"loss":null,"losses":{"words":null},"grad_norm":null,"lr":0,"seconds":0}`
	if err != nil || string(line) != want {
		t.Fatalf("got %s, %v, want %s", line, err, want)
	}
	var back LogRecord
	if err := json.Unmarshal(line, &back); err != nil || back.Step == nil || !math.IsNaN(back.Step.Loss) || !math.IsNaN(back.Step.Losses["words"]) {
		t.Errorf("%s came back as %+v, %v", line, back.Step, err)
	}
	if err := json.Unmarshal([]byte(`{"epoch":1,"step":2,"valid_loss":null}`), &back); err != nil || back.Step != nil || back.Epoch.ValidLoss == nil ||
		!math.IsNaN(*back.Epoch.ValidLoss) || back.Epoch.ValidScore != nil {
		t.Errorf("got %+v, %v", back.Epoch, err)
	}
}

// TestReadLog: a cut-off last line is no fault; anything else is, with its place.
func TestReadLog(t *testing.T) {
	const step, epoch = `{"step":1,"epoch":1,"loss":1}` + "\n", `{"step":1,"epoch":1,"valid_score":0.5,"seconds":1}` + "\n"
	for name, test := range map[string]struct {
		log   string
		count int
		err   string
	}{
		"whole":                {step + epoch, 2, ""},
		"empty":                {"", 0, ""},
		"no line end":          {step + strings.TrimSpace(epoch), 2, ""},
		"cut off":              {step + epoch[:20], 1, ""},
		"cut off at once":      {`{`, 0, ""},
		"bad line":             {step + "{\n" + step, 1, "line 2: unexpected end"},
		"bad last line":        {step + "{\n", 1, "line 2: unexpected end"},
		"empty line":           {step + "\n" + step, 1, "line 2: is empty"},
		"whole, of wrong type": {step + `{"step":"x"}`, 1, "line 2: step: found a string, want a whole number"},
		"text for a number":    {step + `{"step":1,"epoch":1,"loss":"x"}` + "\n", 1, "line 2: loss: found a string, want a number"},
		"steps from 0":         {`{"step":0,"epoch":1,"loss":1}` + "\n", 0, "line 1: step 0 of epoch 1: both count from 1"},
		"no epoch":             {`{"step":1,"loss":1}` + "\n", 0, "line 1: step 1 of epoch 0"},
		"endless":              {step + strings.Repeat(" ", maxLogLine) + step, 1, "line 2: has over"},
	} {
		path := filepath.Join(t.TempDir(), "log.jsonl")
		if err := os.WriteFile(path, []byte(test.log), 0o600); err != nil {
			t.Fatal(err)
		}
		count := 0
		var failure error
		for _, err := range ReadLog(path) {
			if err != nil {
				failure = err
			} else {
				count++
			}
		}
		if count != test.count || (failure == nil) != (test.err == "") || failure != nil && !strings.HasPrefix(failure.Error(), path+": "+test.err) {
			t.Errorf("%s: %d records, %v; want %d, %s", name, count, failure, test.count, test.err)
		}
	}
	for _, err := range ReadLog(filepath.Join(t.TempDir(), "nowhere")) {
		if err == nil || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("got %v", err)
		}
	}
}

// FuzzReadLog: no line makes it panic, and what it accepts goes round.
func FuzzReadLog(f *testing.F) {
	f.Add(`{"step":1,"epoch":1,"loss":null,"losses":{"a":null}}`)
	f.Add(`{"step":1,"epoch":1,"valid_score":1e99}`)
	f.Fuzz(func(t *testing.T, line string) {
		var record, again LogRecord
		if json.Unmarshal([]byte(line), &record) != nil {
			return
		}
		var whole any = record.Step
		if record.Step == nil {
			whole = record.Epoch
		}
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &again); err != nil || (again.Step == nil) != (record.Step == nil) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
