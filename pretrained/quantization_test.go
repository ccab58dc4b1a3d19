package pretrained_test

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// quantised converts the reference's small model.
func quantised(t *testing.T, to pretrained.Conversion) string {
	t.Helper()
	dir := t.TempDir()
	to.DType = checkpoint.I8
	if _, err := pretrained.Convert(t.Context(), dir, filepath.Join(golden.Dir(), "tiny"), to); err != nil {
		t.Fatal(err)
	}
	return dir
}

// answers are the outputs of a model of a directory for one of the reference's cases.
func answers(t *testing.T, dir string, options pretrained.Options) (map[string]*tensors.Tensor, model.Precision) {
	t.Helper()
	m, _, err := pretrained.Load(engine(t), dir, model.HeadQuestionAnswering, options)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Run(t.Context(), golden.Inputs(t, filepath.Join(golden.Dir(), "tiny", "cases", "qa_full", "inputs.safetensors")), model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return maps.Collect(out.Named()), m.Precision()
}

func alike(t *testing.T, what string, got, want map[string]*tensors.Tensor) {
	t.Helper()
	for name, w := range want {
		if !slices.Equal(tensors.MustCopyFlatData[float32](got[name]), tensors.MustCopyFlatData[float32](w)) {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

// files are what a directory holds.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if all[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestQuantisedCheckpoint: a model that is quantised as it is loaded, one loaded from a quantised checkpoint, sharded or not, and what these save are the same.
func TestQuantisedCheckpoint(t *testing.T) {
	source := filepath.Join(golden.Dir(), "tiny")
	want, _ := answers(t, source, pretrained.Options{Precision: model.Int8})
	for _, to := range []pretrained.Conversion{{}, {MaxShardBytes: 30_000}, {Head: model.HeadQuestionAnswering}} {
		dir := quantised(t, to)
		got, precision := answers(t, dir, pretrained.Options{AsStored: true})
		if precision != model.Int8 {
			t.Errorf("a quantised checkpoint is loaded as %s", precision)
		}
		alike(t, "from the checkpoint", got, want)
		if _, precision := answers(t, dir, pretrained.Options{}); precision != model.Float32 {
			t.Errorf("float32 is %s", precision)
		}
	}
	dir, saved := quantised(t, pretrained.Conversion{}), t.TempDir()
	m, _, err := pretrained.Load(engine(t), source, model.HeadPreTraining, pretrained.Options{Precision: model.Int8})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := pretrained.Save(t.Context(), saved, m); err != nil {
		t.Fatal(err)
	}
	for name, content := range files(t, dir) {
		if !bytes.Equal(content, files(t, saved)[name]) {
			t.Errorf("what Save writes is not what Convert writes: %s", name)
		}
	}
}

// TestDequantised: converted to F32 a quantised model has the numbers that it stood for, and says nothing of quantisation any more; quantised
// again it is the same.
func TestDequantised(t *testing.T) {
	dir, wide := quantised(t, pretrained.Conversion{}), t.TempDir()
	done, err := pretrained.Convert(t.Context(), wide, dir, pretrained.Conversion{})
	if err != nil || done.Dequantised == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	differences, err := pretrained.Diff(dir, wide)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		if !d.Equal() {
			t.Errorf("%s differs by %v", d.Name, d.Max)
		}
	}
	if config, err := pretrained.Config(wide); err != nil || config.Extra["quantization_config"] != nil {
		t.Errorf("%v, %v", config.Extra, err)
	}
	again := t.TempDir()
	if _, err := pretrained.Convert(t.Context(), again, wide, pretrained.Conversion{DType: checkpoint.I8}); err != nil {
		t.Fatal(err)
	}
	differences, err = pretrained.Diff(dir, again)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		if !(d.Relative < 1e-6) { // the scale's rounding
			t.Errorf("%s differs by %v of its largest", d.Name, d.Relative)
		}
	}
}

// TestQuantisedLayout: what docs/precision.md says of the files.
func TestQuantisedLayout(t *testing.T) {
	dir := quantised(t, pretrained.Conversion{})
	content, err := os.ReadFile(filepath.Join(dir, pretrained.ConfigName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"quant_method": "compressed-tensors"`, `"format": "int-quantized"`, `"lxmert.pooler.dense"`, `"lxmert.encoder.visn_fc.box_fc"`,
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("config.json lacks %s", want)
		}
	}
	inspection, err := pretrained.Inspect(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range inspection.Tensors {
		want := checkpoint.F32
		switch {
		case len(tensor.Shape) != 2 || strings.Contains(tensor.Name, "box_fc"):
		case strings.Contains(tensor.Name, ".encoder."):
			want = checkpoint.I8
		default:
			want = checkpoint.BF16
		}
		if tensor.DType != want || (tensor.Scales != nil) != (want == checkpoint.I8) {
			t.Errorf("%s %v is %v, want %v", tensor.Name, tensor.Shape, tensor.DType, want)
		}
	}
	for head, fit := range inspection.Fits {
		if fit.Err != nil || head != model.HeadNLVR2 && len(fit.Missing) > 0 {
			t.Errorf("%s: %+v", head, fit)
		}
	}
	_, err = pretrained.Convert(t.Context(), t.TempDir(), dir, pretrained.Conversion{DType: checkpoint.I8, Layout: pretrained.PyTorch})
	if err == nil || !strings.Contains(err.Error(), "written as safetensors") {
		t.Errorf("quantised as PyTorch's: %v", err)
	}
	if _, err = pretrained.Convert(t.Context(), t.TempDir(), dir, pretrained.Conversion{DType: checkpoint.F16, Layout: pretrained.PyTorch}); err != nil {
		t.Error(err)
	}
}

// TestBFloat16Checkpoint: a network in bfloat16 is the same from the F32 checkpoint and from one in BF16, but for biases and norms, which
// the latter has rounded.
func TestBFloat16Checkpoint(t *testing.T) {
	source, dir, saved := filepath.Join(golden.Dir(), "tiny"), t.TempDir(), t.TempDir()
	if _, err := pretrained.Convert(t.Context(), dir, source, pretrained.Conversion{DType: checkpoint.BF16}); err != nil {
		t.Fatal(err)
	}
	m, _, err := pretrained.Load(engine(t), source, model.HeadPreTraining, pretrained.Options{Precision: model.BFloat16})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := pretrained.Save(t.Context(), saved, m); err != nil {
		t.Fatal(err)
	}
	for name, content := range files(t, dir) {
		if !bytes.Equal(content, files(t, saved)[name]) {
			t.Errorf("what Save writes is not what Convert writes: %s", name)
		}
	}
	a, _ := answers(t, dir, pretrained.Options{Precision: model.BFloat16})
	b, _ := answers(t, saved, pretrained.Options{Precision: model.BFloat16})
	alike(t, "BF16", a, b)
}

// TestQuantiseDamaged: a weight that is not finite is refused with its name, in converting and in loading.
func TestQuantiseDamaged(t *testing.T) {
	const bad = "lxmert.encoder.layer.0.output.dense.weight"
	damaged := t.TempDir()
	file, err := checkpoint.Open(filepath.Join(golden.Dir(), "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []checkpoint.Tensor
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		if name == bad {
			values, err := tensor.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			values[7] = float32(math.Inf(1))
			if tensor, err = checkpoint.FromFloat32s(name, tensor.Shape, values); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, tensor)
	}
	if err := checkpoint.Write(filepath.Join(damaged, checkpoint.SingleName), all, nil); err != nil {
		t.Fatal(err)
	}
	config := golden.Config(t, "tiny")
	_, err = pretrained.Convert(t.Context(), t.TempDir(), damaged, pretrained.Conversion{DType: checkpoint.I8, Config: config})
	_, _, loading := pretrained.Load(engine(t), damaged, model.HeadModel, pretrained.Options{Config: config, Precision: model.Int8})
	for _, err := range []error{err, loading} {
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(bad, "lxmert.")) || !strings.Contains(err.Error(), "column 7 is +Inf") {
			t.Errorf("got %v", err)
		}
	}
}
