package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// smallVocab writes a vocabulary made for these tests.
func smallVocab(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vocab.txt")
	words := "[PAD] [UNK] [CLS] [SEP] [MASK] the red ball un ##box ##ed ? ."
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(words, " ", "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// tokenizeLines runs the verb and returns its lines, its complaints and its exit code.
func tokenizeLines(t *testing.T, in string, args ...string) ([]map[string]any, string, int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), append([]string{"tokenize"}, args...), strings.NewReader(in), &out, &errOut)
	var lines []map[string]any
	for s := bufio.NewScanner(&out); s.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatalf("%v in %s", err, s.Text())
		}
		lines = append(lines, line)
	}
	return lines, errOut.String(), code
}

func TestTokenize(t *testing.T) {
	vocab := smallVocab(t)
	for name, c := range map[string]struct {
		args     []string
		in, want string
	}{
		"a text": {nil, `{"id":"a","text":"The <ball>"}`,
			`{"id":"a","encoding":{"tokens":["[CLS]","the","[UNK]","ball","[UNK]","[SEP]"],"ids":[2,5,1,7,1,3],"type_ids":[0,0,0,0,0,0],"attention_mask":[1,1,1,1,1,1],"special_tokens_mask":[1,0,0,0,0,1],` +
				`"char_offsets":[[0,0],[0,3],[4,5],[5,9],[9,10],[0,0]],"byte_offsets":[[0,0],[0,3],[4,5],[5,9],[9,10],[0,0]],"word_ids":[null,0,1,2,3,null],"sequence_ids":[null,0,0,0,0,null]}}`},
		"an empty pair is a pair": {[]string{"--mode", "slow"}, `{"id":1,"text":"red","pair":""}`,
			`{"id":1,"encoding":{"tokens":["[CLS]","red","[SEP]","[SEP]"],"ids":[2,6,3,3],"type_ids":[0,0,0,1],"attention_mask":[1,1,1,1],"special_tokens_mask":[1,0,1,1]}}`},
		"the original": {[]string{"--mode", "original"}, `{"id":1,"text":"Red","max_seq_length":5,"ctor":{},"call":{}}`,
			`{"id":1,"encoding":{"input_ids":[2,6,3,0,0],"input_mask":[1,1,1,0,0],"segment_ids":[0,0,0,0,0]}}`},
		"slow overflow": {[]string{"--mode", "slow"}, `{"id":1,"text":"the red ball","call":{"truncation":true,"max_length":4,"stride":1,"return_overflowing_tokens":true}}`,
			`{"id":1,"encoding":{"tokens":["[CLS]","the","red","[SEP]"],"ids":[2,5,6,3],"type_ids":[0,0,0,0],"attention_mask":[1,1,1,1],"special_tokens_mask":[1,0,0,1],"overflowing_token_ids":[6,7],"num_truncated_tokens":1},` +
				`"slow_overflow":{"overflowing_token_ids":[6,7],"num_truncated_tokens":1}}`},
		"a batch": {[]string{"--mode", "slow"}, `{"id":1,"texts":["red",["the","ball"]],"call":{"padding":true,"add_special_tokens":false}}`,
			`{"id":1,"encodings":[{"tokens":["red","[PAD]"],"ids":[6,0],"type_ids":[0,0],"attention_mask":[1,0],"special_tokens_mask":[0,1]},` +
				`{"tokens":["the","ball"],"ids":[5,7],"type_ids":[0,0],"attention_mask":[1,1],"special_tokens_mask":[0,0]}]}`},
		"an empty batch": {nil, `{"id":1,"texts":[]}`, `{"id":1,"encodings":[]}`},
		"options and added tokens": {[]string{"--mode", "slow"}, `{"id":1,"text":"Red <x>red","ctor":{"do_lower_case":false},"added_tokens":[{"content":"<x>","special":true}],"call":{"add_special_tokens":false}}`,
			`{"id":1,"encoding":{"tokens":["[UNK]","<x>","red"],"ids":[1,13,6],"type_ids":[0,0,0],"attention_mask":[1,1,1],"special_tokens_mask":[0,0,0]}}`},
		"decoding": {[]string{"--decode"}, `{"id":null,"ids":[2,8,9,10,7,11,3,99,-1,99999999999],"skip_special_tokens":true}`, `{"id":null,"text":"unboxed ball?"}`},
		"a refusal": {nil, `{"id":1,"text":"the red ball","call":{"truncation":"only_second","max_length":3}}`,
			`{"id":1,"error":"Truncation error: Second sequence not provided","detail":"truncation \"only_second\", but there is no second text; use \"only_first\" or \"longest_first\""}`},
		"an impossible call":   {nil, `{"id":1,"text":"red","call":{"padding":"max_length","max_length":100000000000}}`, `{"id":1,"error":"padding to max_length 100000000000 and a multiple of 0 is too long, want at most 1048576"}`},
		"a misspelt ctor":      {nil, `{"id":1,"text":"red","ctor":{"lower":true}}`, `{"id":1,"error":"ctor: json: unknown field \"lower\""}`},
		"an option fast lacks": {nil, `{"id":1,"text":"red","ctor":{"never_split":["red"]}}`, `{"id":1,"error":"never_split is set, but fast mode has none; use slow mode"}`},
	} {
		got, complaint, code := tokenizeLines(t, c.in, append([]string{"--vocab", vocab}, c.args...)...)
		var want map[string]any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if code != exitOK || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: code %d %s\n got %v\nwant %v", name, code, complaint, got, want)
		}
	}
}

// What is malformed is told with its line; the rest is done; the exit code says so.
func TestTokenizeMalformed(t *testing.T) {
	in := strings.Join([]string{`{"id":1,"text":"red"}`, `{"id":2,`, `  `, `{"id":4}`, `{"id":5,"text":5}`, `{"id":6,"text":"a","texts":[]}`,
		`{"id":7,"texts":[["a"]]}`, `{"id":8,"text":"a","call":{"maxlength":3}}`, `{"id":9,"text":"a","call":{"max_length":0}}`, `[]`, `{"id":11,"text":"ball"}`}, "\n")
	got, complaint, code := tokenizeLines(t, in, "--vocab", smallVocab(t))
	if code != exitFailure || !strings.Contains(complaint, "8 malformed lines") || !strings.Contains(complaint, "line 2") {
		t.Errorf("code %d, %q", code, complaint)
	}
	if len(got) != 10 { // the empty line asks for nothing, but is counted
		t.Fatalf("got %d lines, want 10", len(got))
	}
	for i, line := range slices.Insert(got, 2, nil) {
		if good := i == 0 || i == 10; i == 2 {
			continue
		} else if good != (line["encoding"] != nil) || !good && line["line"] != float64(i+1) {
			t.Errorf("line %d: got %v", i+1, line)
		}
	}
}

func TestTokenizeUsage(t *testing.T) {
	vocab := smallVocab(t)
	for _, args := range [][]string{{}, {"--vocab", vocab, "--model", "x"}, {"--vocab", vocab, "--mode", "quick"}, {"--vocab", vocab, "more"}, {"--vocabulary", vocab}} {
		if _, complaint, code := tokenizeLines(t, "", args...); code != exitUsage || complaint == "" {
			t.Errorf("%q: code %d, %q", args, code, complaint)
		}
	}
	for _, args := range [][]string{{"--vocab", vocab + "x"}, {"--model", t.TempDir()}, {"--tokenizer", vocab}} {
		if _, complaint, code := tokenizeLines(t, "", args...); code != exitFailure || !strings.Contains(complaint, args[1]) {
			t.Errorf("%q: code %d, %q", args, code, complaint)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"tokenize", "--help"}, nil, &out, &out); code != exitOK || !strings.Contains(out.String(), "lxmert tokenize --model DIR") {
		t.Errorf("code %d, help without its examples:\n%s", code, out.String())
	}
}

func TestTokenizeLongLine(t *testing.T) {
	text := strings.Repeat("the red ball? ", 10<<20/14)
	in := `{"id":1,"text":"` + text + `","call":{"truncation":true,"max_length":512}}` + "\n" + `{"id":2,"text":"red"}`
	var out countingWriter
	if code := run(t.Context(), []string{"tokenize", "--vocab", smallVocab(t)}, strings.NewReader(in), &out, io.Discard); code != exitOK || out.lines != 2 || out.bytes < int64(len(text)) {
		t.Errorf("code %d, %d lines, %d bytes", code, out.lines, out.bytes)
	}
}

type countingWriter struct {
	bytes int64
	lines int
}

func (c *countingWriter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	c.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// Answers come while more is asked; a cancelled run ends though its input does not.
func TestTokenizeStreams(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	vocab := smallVocab(t)
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"tokenize", "--vocab", vocab, "--mode", "original"}, in, out, io.Discard)
	}()
	lines := bufio.NewReader(answers)
	for range 3 {
		io.WriteString(ask, `{"id":1,"text":"red"}`+"\n")
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "[2,6,3,") {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	cancel()
	select {
	case code := <-done:
		if code != exitFailure {
			t.Errorf("a cancelled run ended with code %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a cancelled run goes on")
	}
}

// A failing input or output ends the run with its error.
func TestTokenizeBrokenStreams(t *testing.T) {
	vocab := smallVocab(t)
	var errOut bytes.Buffer
	broken := io.MultiReader(strings.NewReader(`{"id":1,"text":"red"}`+"\n"), brokenReader{})
	if code := run(t.Context(), []string{"tokenize", "--vocab", vocab}, broken, io.Discard, &errOut); code != exitFailure || !strings.Contains(errOut.String(), "after line 1: the disk is gone") {
		t.Errorf("code %d, %q", code, errOut.String())
	}
	errOut.Reset()
	in := strings.Repeat(`{"id":1,"text":"red"}`+"\n", 1000)
	if code := run(t.Context(), []string{"tokenize", "--vocab", vocab}, strings.NewReader(in), brokenWriter{}, &errOut); code != exitFailure || !strings.Contains(errOut.String(), "the pipe is gone") {
		t.Errorf("code %d, %q", code, errOut.String())
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("the pipe is gone") }
