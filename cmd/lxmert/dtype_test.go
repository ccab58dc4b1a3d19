package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
)

const shippedDir = "../../shipped/qa"

// quantisedModel is the shipped model in int8.
func quantisedModel(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "int8")
	code, out, errOut := command(t, "", "convert", shippedDir, dir, "--dtype", "int8")
	if code != exitOK || !strings.Contains(out, "as I8") {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	return dir
}

// TestDType: a quantised model is written, shown, asked, converted back; it is used as it is unless one says otherwise.
func TestDType(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := quantisedModel(t)
	before, errA := os.Stat(filepath.Join(shippedDir, checkpoint.SingleName))
	after, errB := os.Stat(filepath.Join(dir, checkpoint.SingleName))
	if errA != nil || errB != nil || after.Size() > before.Size()*6/10 { // the shipped one is in 16 bits
		t.Errorf("%v, %v: %d bytes of %d", errA, errB, after.Size(), before.Size())
	}
	code, out, errOut := command(t, "", "inspect", "--json", dir)
	var shown inspectRecord
	if err := json.Unmarshal([]byte(out), &shown); code != exitOK || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, errOut)
	}
	types := map[string]int{}
	for _, tensor := range shown.Tensors {
		types[tensor.DType+tensor.Scales]++
	}
	if types["I8F32"] == 0 || types["BF16"] == 0 || types["F32"] == 0 || len(types) != 3 {
		t.Errorf("types and scales are %v", types)
	}
	if code, out, errOut := command(t, "", "inspect", dir); code != exitOK || !strings.Contains(out, "I8 × F32") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	picture, question := "../../examples/park.png", "What color is the car?"
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "f32"}, {[]string{"--dtype", "bf16"}, "bf16"}, {[]string{"--dtype", "int8"}, "int8"},
		{[]string{"--model", dir}, "int8"}, {[]string{"--model", dir, "--dtype", "f32"}, "f32"},
	} {
		record, _ := askJSON(t, append(c.args, picture, question)...)
		if record.DType != c.want || record.Questions[0].Answers[0].Text != "red" {
			t.Errorf("%v: %s in %s, want red in %s", c.args, record.Questions[0].Answers[0].Text, record.DType, c.want)
		}
	}
	if code, out, errOut := command(t, "", "explain", "--model", dir, picture, question); code != exitOK || !strings.Contains(out, "red") {
		t.Errorf("explain: exit code %d: %s%s", code, out, errOut)
	}
	if code, out, errOut := command(t, "", "doctor", dir); code != exitOK || !strings.Contains(out, "in int8") {
		t.Errorf("doctor: exit code %d: %s%s", code, out, errOut)
	}
	wide := filepath.Join(t.TempDir(), "wide")
	if code, out, errOut := command(t, "", "convert", dir, wide); code != exitOK || !strings.Contains(out, "weights were quantised") {
		t.Errorf("convert back: exit code %d: %s%s", code, out, errOut)
	}
	if code, out, errOut := command(t, "", "inspect", dir, "--diff", wide); code != exitOK {
		t.Errorf("what it stands for is another number: exit code %d: %s%s", code, out, errOut)
	}
	if code, out, _ := command(t, "", "inspect", dir, "--diff", shippedDir); code != exitFailure || !strings.Contains(out, "encoder") {
		t.Errorf("quantising loses nothing: exit code %d: %s", code, out)
	}
}

// TestDTypeRefuses: what cannot be, and scales that cannot be right.
func TestDTypeRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := quantisedModel(t)
	tiny := filepath.Join(golden.Dir(), "tiny")
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"type":     {[]string{"ask", "--dtype", "fp8", "x.png", "why?"}, exitUsage, "want f32, bf16 or int8"},
		"training": {[]string{"bench", "--train", "--dtype", "int8", "--model", tiny}, exitUsage, "a quantised model is not trained"},
		"detector": {[]string{"bench", "--detector", "base", "--dtype", "int8", "--backend", "go"}, exitUsage, "only simd has"},
		"layout":   {[]string{"convert", shippedDir, filepath.Join(t.TempDir(), "out"), "--dtype", "int8", "--to", "pytorch"}, exitFailure, "written as safetensors"},
		"onnx":     {[]string{"convert", shippedDir, filepath.Join(t.TempDir(), "out"), "--dtype", "int8", "--to", "onnx"}, exitUsage, "ONNX files hold float32"},
	} {
		if code, _, errOut := command(t, "", test.args...); code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
	damageScale(t, filepath.Join(dir, checkpoint.SingleName))
	for _, args := range [][]string{{"ask", "--model", dir, "../../examples/park.png", "why?"}, {"inspect", dir}, {"doctor", dir}} {
		code, out, errOut := command(t, "", args...)
		if code != exitFailure || !strings.Contains(out+errOut, "_scale") || !strings.Contains(out+errOut, "the scale of row 0 is -1") {
			t.Errorf("%v: exit code %d: %s%s", args, code, out, errOut)
		}
	}
}

// damageScale makes the first scale of a quantised tensor -1.
func damageScale(t *testing.T, path string) {
	t.Helper()
	file, err := checkpoint.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []checkpoint.Tensor
	damaged := false
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		if tensor.Scales != nil && !damaged {
			values, err := tensor.Scales.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			values[0], damaged = -1, true
			scales, err := checkpoint.FromFloat32s(tensor.Scales.Name, tensor.Scales.Shape, values)
			if err != nil {
				t.Fatal(err)
			}
			tensor.Scales = &scales
		}
		all = append(all, tensor)
	}
	if err := checkpoint.Write(path, all, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
}

// TestBenchDType: bench says in which type linear maps multiply, and trains in bfloat16.
func TestBenchDType(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	tiny := filepath.Join(golden.Dir(), "tiny")
	for want, args := range map[string][]string{
		"float32": {"--model", exampleModel}, "bfloat16": {"--model", exampleModel, "--dtype", "bf16"}, "int8": {"--model", exampleModel, "--dtype", "int8"},
		"bfloat16 ": {"--train", "--model", tiny, "--dtype", "bf16"},
	} {
		code, out, errOut := command(t, "", append([]string{"bench", "--batch", "1", "--rounds", "2", "--warm-up", "1", "--json"}, args...)...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d: %s", args, code, errOut)
		}
		if results := benchLines(t, out); results[0].DType != strings.TrimSpace(want) {
			t.Errorf("%v: in %s, want %s", args, results[0].DType, want)
		}
	}
}
