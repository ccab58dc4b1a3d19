package torch_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/torch"
)

// reference is where the files that PyTorch wrote are, beside the repository.
var reference = filepath.Join("..", "..", "..", "shared", "golden")

// open reads a file of the reference, and skips the test where it is not there.
func open(t testing.TB, path string) (*torch.File, []byte) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(reference, path))
	if err != nil {
		t.Skipf("no reference file %s beside the repository: files of PyTorch itself are not read here", path)
	}
	f, err := torch.Parse(content)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f, content
}

// The reference's models in every format hold, tensor by tensor, what their safetensors files hold; so do those
// of the original repository, whose names begin differently.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		path, safetensors string
		format            torch.Format
		tied              string
	}{
		{"lxmert/tiny/pytorch_model.bin", "lxmert/tiny/model.safetensors", torch.Zip, "cls.predictions.decoder.weight"},
		{"lxmert/odd/pytorch_model.bin", "lxmert/odd/model.safetensors", torch.Zip, "cls.predictions.decoder.weight"},
		{"lxmert/tiny/pytorch_model.legacy.bin", "lxmert/tiny/model.safetensors", torch.Legacy, "cls.predictions.decoder.weight"},
		{"lxmert/odd/pytorch_model.legacy.bin", "lxmert/odd/model.safetensors", torch.Legacy, "cls.predictions.decoder.weight"},
		{"frcnn/tiny/pytorch_model.bin", "frcnn/tiny/model.safetensors", torch.Zip, ""},
		{"frcnn/tiny/pytorch_model_legacy.bin", "frcnn/tiny/model.safetensors", torch.Legacy, ""},
		{"frcnn/tiny_variant/pytorch_model.bin", "frcnn/tiny_variant/model.safetensors", torch.Zip, ""},
		{"frcnn/tiny_variant/pytorch_model_legacy.bin", "frcnn/tiny_variant/model.safetensors", torch.Legacy, ""},
	} {
		t.Run(c.path, func(t *testing.T) {
			f, content := open(t, c.path)
			if f.Format() != c.format || torch.Sniff(content[:torch.SniffLen]) != c.format || len(f.Path()) != 0 || f.Others() != 0 {
				t.Errorf("%v, path %q, %d others; want %v", f.Format(), f.Path(), f.Others(), c.format)
			}
			want := map[string]checkpoint.Tensor{}
			for _, x := range safetensors(t, c.safetensors) {
				want[x.Name] = x
			}
			if c.tied != "" {
				want[c.tied] = want["lxmert.embeddings.word_embeddings.weight"]
			}
			for _, x := range f.Tensors() {
				same(t, x, want[x.Name])
				delete(want, x.Name)
			}
			for name := range want {
				t.Errorf("tensor %s is missing", name)
			}
		})
	}
}

// The original repository's files, saved on a GPU: the pre-training model by its names, and the fine-tuned ones by
// what two files say of the same weights.
func TestGoldenOriginal(t *testing.T) {
	f, _ := open(t, "lxmert/tiny/orig/model_LXRT.pth")
	named := map[string]checkpoint.Tensor{}
	for _, x := range safetensors(t, "lxmert/tiny/model.safetensors") {
		named[x.Name] = x
	}
	compared := 0
	for _, x := range f.Tensors() {
		for from, to := range map[string]string{"module.bert.": "lxmert.", "module.": ""} {
			if rest, ok := bytes.CutPrefix([]byte(x.Name), []byte(from)); ok {
				if want, ok := named[to+string(rest)]; ok {
					same(t, x, want)
					compared++
				}
			}
		}
	}
	if compared < 150 || len(f.Tensors()) < compared {
		t.Errorf("compared %d tensors of %d, want more than 150", compared, len(f.Tensors()))
	}

	one, _ := open(t, "lxmert/tiny/orig/vqa_finetuned.pth")
	many, _ := open(t, "lxmert/tiny/orig/vqa_finetuned_multigpu.pth")
	if len(one.Tensors()) < 150 || len(one.Tensors()) != len(many.Tensors()) {
		t.Fatalf("%d and %d tensors", len(one.Tensors()), len(many.Tensors()))
	}
	for i, x := range one.Tensors() {
		y := many.Tensors()[i]
		if !bytes.Equal(x.Bytes(), y.Bytes()) || !slices.Equal(x.Shape, y.Shape) {
			t.Errorf("%s and %s differ", x.Name, y.Name)
		}
	}

	nlvr2, _ := open(t, "lxmert/tiny/orig/nlvr2_finetuned.pth")
	for _, x := range nlvr2.Tensors() {
		if x.Name == "logit_fc.0.weight" && slices.Equal(x.Shape, []int{96, 96}) {
			return
		}
	}
	t.Error("no logit_fc.0.weight of [96 96]")
}

func safetensors(t testing.TB, path string) []checkpoint.Tensor {
	t.Helper()
	f, err := checkpoint.Open(filepath.Join(reference, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var out []checkpoint.Tensor
	for _, name := range f.Names() {
		x, _ := f.Tensor(name)
		out = append(out, x)
	}
	return out
}

// same compares a tensor with what it should be.
func same(t testing.TB, got torch.Tensor, want checkpoint.Tensor) {
	t.Helper()
	view, ok := got.View()
	switch {
	case got.DType != want.DType.String() || !slices.Equal(got.Shape, want.Shape):
		t.Errorf("tensor %s is %s %v, want %v %v", got.Name, got.DType, got.Shape, want.DType, want.Shape)
	case !bytes.Equal(got.Bytes(), want.Data):
		t.Errorf("tensor %s has other elements", got.Name)
	case ok && !bytes.Equal(view, want.Data):
		t.Errorf("tensor %s has other elements in its view", got.Name)
	case !ok:
		t.Errorf("tensor %s has no view", got.Name)
	}
}
