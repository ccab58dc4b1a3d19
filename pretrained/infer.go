package pretrained

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// headWidth is the width of an attention head in every BERT and LXMERT that was published. Shapes do not show the number of heads.
const headWidth = 64

// Infer makes the configuration of a checkpoint that came without one, as the original repository's do, from its tensors' shapes. What no shape shows is what it is in the
// paper's model: attention heads of width 64, GELU, the dropouts. The error says what the checkpoint lacks, or that heads of that width do not divide its hidden states.
func Infer(file *checkpoint.File) (*model.Config, error) {
	config := model.DefaultConfig()
	prefix := ""
	if _, ok := file.Tensor("lxmert.embeddings.word_embeddings.weight"); ok {
		prefix = "lxmert."
	}
	var faults []string
	size := func(name string, axis, rank int, to *int) {
		t, ok := file.Tensor(prefix + name)
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("tensor %s%s is missing", prefix, name))
		case len(t.Shape) != rank:
			faults = append(faults, fmt.Sprintf("tensor %s%s is %v, want %d dimensions", prefix, name, t.Shape, rank))
		default:
			*to = t.Shape[axis]
		}
	}
	size("embeddings.word_embeddings.weight", 0, 2, &config.VocabSize)
	size("embeddings.word_embeddings.weight", 1, 2, &config.HiddenSize)
	size("embeddings.position_embeddings.weight", 0, 2, &config.MaxPositionEmbeddings)
	size("embeddings.token_type_embeddings.weight", 0, 2, &config.TypeVocabSize)
	size("encoder.visn_fc.visn_fc.weight", 1, 2, &config.VisualFeatDim)
	size("encoder.visn_fc.box_fc.weight", 1, 2, &config.VisualPosDim)
	config.LanguageLayers = layers(file, prefix+"encoder.layer.")
	config.VisionLayers = layers(file, prefix+"encoder.r_layers.")
	config.CrossLayers = layers(file, prefix+"encoder.x_layers.")
	if config.LanguageLayers > 0 {
		size("encoder.layer.0.intermediate.dense.weight", 0, 2, &config.IntermediateSize)
	}
	if faults != nil {
		return nil, fmt.Errorf("%s: there is no config.json, and this is no checkpoint of an LXMERT, or a damaged one: %s", file.Path(), faults[0])
	}
	for name, to := range map[string]*int{
		"answer_head.logit_fc.3.weight":             &config.NumQALabels,
		"obj_predict_head.decoder_dict.obj.weight":  &config.NumObjectLabels,
		"obj_predict_head.decoder_dict.attr.weight": &config.NumAttrLabels,
	} {
		if t, ok := file.Tensor(name); ok && len(t.Shape) == 2 {
			*to = t.Shape[0]
		}
	}
	if config.HiddenSize%headWidth != 0 {
		return nil, fmt.Errorf("%s: there is no config.json, and the number of attention heads cannot be told: hidden states of %d are not made of heads of %d; put a config.json beside it",
			file.Path(), config.HiddenSize, headWidth)
	}
	config.NumAttentionHeads = config.HiddenSize / headWidth
	if err := config.Validate(); err != nil {
		return nil, InFile(file.Path(), err)
	}
	return config, nil
}

// layers counts the layers whose names begin so: one more than the highest number.
func layers(file *checkpoint.File, prefix string) int {
	n := 0
	for _, name := range file.Names() {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < 1<<20 {
			n = max(n, i+1)
		}
	}
	return n
}

// inferred is the configuration of the checkpoint at a path that has no config.json.
func inferred(path string) (*model.Config, error) {
	file, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Infer(file)
}

// Directory is where the files are that go with a model: the directory itself, or that of a file of weights.
func Directory(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}
