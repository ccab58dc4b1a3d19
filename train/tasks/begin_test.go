package tasks_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// numbers are a model's weights by name.
func numbers(t *testing.T, m *model.Network) map[string][]float32 {
	t.Helper()
	found := map[string][]float32{}
	for name, value := range m.Weights() {
		values, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = values
	}
	return found
}

// directory saves a model with that head and those answers, of weights of that seed, and gives these too. Their biases and norms are no constants.
func directory(t *testing.T, config *model.Config, head model.Head, seed uint64) (dir string, weights map[string][]float32) {
	t.Helper()
	fresh := config.Fresh(seed)
	m, err := model.New(openEngine(t), config, head, func(name string, dimensions []int) ([]float32, error) {
		values, err := fresh(name, dimensions)
		for i := range values {
			values[i] += float32(seed)/64 + float32(i%7)/1024
		}
		return values, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	dir = t.TempDir()
	if err := pretrained.Save(t.Context(), dir, m); err != nil {
		t.Fatal(err)
	}
	return dir, numbers(t, m)
}

// begun makes a model and gives its weights.
func begun(t *testing.T, b tasks.Begin) (map[string][]float32, *tasks.Begun) {
	t.Helper()
	m, from, err := b.Model(openEngine(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	return numbers(t, m), from
}

// fresh are the weights that a seed gives.
func fresh(t *testing.T, config *model.Config, head model.Head, seed uint64) map[string][]float32 {
	t.Helper()
	m, err := model.New(openEngine(t), config, head, config.Fresh(seed))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	return numbers(t, m)
}

// from checks that each weight is where want says it is from, and that what begins afresh is said to.
func from(t *testing.T, got map[string][]float32, told *tasks.Begun, freshly map[string][]float32, want func(name string) []float32) {
	t.Helper()
	var afresh []string
	for _, name := range slices.Sorted(maps.Keys(got)) {
		values := want(name)
		if values == nil {
			afresh, values = append(afresh, name), freshly[name]
		}
		if !slices.Equal(got[name], values) {
			t.Errorf("%s is %.3v, want %.3v", name, got[name][:min(4, len(got[name]))], values[:min(4, len(values))])
		}
	}
	said := slices.Sorted(slices.Values(told.Fresh))
	for _, name := range append(said, afresh...) {
		if a, b := slices.Contains(said, name), slices.Contains(afresh, name); a != b {
			t.Errorf("%s begins afresh: %v, it is said %v", name, b, a)
		}
	}
}

// TestBeginFresh: without anything to begin with all is the seed's.
func TestBeginFresh(t *testing.T) {
	got, told := begun(t, tasks.Begin{Config: blocks.Config(), Head: model.HeadQuestionAnswering, Seed: 5})
	from(t, got, told, fresh(t, blocks.Config(), model.HeadQuestionAnswering, 5), func(string) []float32 { return nil })
	if !told.All {
		t.Error("it is not said that all begins afresh")
	}
}

// TestBeginInit: a checkpoint gives what it has; its answers only if they are to be kept.
func TestBeginInit(t *testing.T) {
	larger := blocks.Config()
	larger.NumQALabels = 9
	pre, preWeights := directory(t, blocks.Config(), model.HeadPreTraining, 1)
	preLarger, preLargerWeights := directory(t, larger, model.HeadPreTraining, 2)
	qa, qaWeights := directory(t, blocks.Config(), model.HeadQuestionAnswering, 3)
	for name, c := range map[string]struct {
		dir     string
		weights map[string][]float32
		head    model.Head
		keep    bool
		afresh  string // what names begin with that begin afresh
		others  bool   // whether an answer head was left out
	}{
		"pre-training, other answers":    {pre, preWeights, model.HeadQuestionAnswering, false, "answer_head.", true},
		"pre-training, more answers":     {preLarger, preLargerWeights, model.HeadQuestionAnswering, false, "answer_head.", true},
		"pre-training, the same answers": {pre, preWeights, model.HeadQuestionAnswering, true, "none", false},
		"pre-training goes on":           {pre, preWeights, model.HeadPreTraining, true, "none", false},
		"vqa, kept":                      {qa, qaWeights, model.HeadQuestionAnswering, true, "none", false},
		"vqa, not kept":                  {qa, qaWeights, model.HeadQuestionAnswering, false, "answer_head.", true},
		"pre-training for statements":    {pre, preWeights, model.HeadNLVR2, false, "logit_fc.", false},
		"vqa for statements":             {qa, qaWeights, model.HeadNLVR2, false, "logit_fc.", false},
		"vqa for pre-training, kept":     {qa, qaWeights, model.HeadPreTraining, true, "cls. obj_predict_head.", false},
		"vqa for pre-training, not kept": {qa, qaWeights, model.HeadPreTraining, false, "answer_head. cls. obj_predict_head.", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, told := begun(t, tasks.Begin{Config: blocks.Config(), Head: c.head, Seed: 5, Init: c.dir, KeepAnswers: c.keep})
			from(t, got, told, fresh(t, blocks.Config(), c.head, 5), func(weight string) []float32 {
				for _, prefix := range strings.Fields(c.afresh) {
					if strings.HasPrefix(weight, prefix) {
						return nil
					}
				}
				return c.weights[weight]
			})
			if told.NotAnswering != c.others || told.All {
				t.Errorf("told %+v", told)
			}
		})
	}
}

// bertDirectory writes a BERT checkpoint of so many layers, with the names that Google's has; less is what names begin with that are left out.
func bertDirectory(t *testing.T, prefix string, layers int, less ...string) (dir string, weights map[string][]float32) {
	t.Helper()
	c := blocks.Config()
	shapes := map[string][]int{
		"embeddings.word_embeddings.weight": {c.VocabSize, 16}, "embeddings.position_embeddings.weight": {16, 16}, "embeddings.token_type_embeddings.weight": {2, 16},
		"embeddings.LayerNorm.gamma": {16}, "embeddings.LayerNorm.beta": {16}, "pooler.dense.weight": {16, 16}, "pooler.dense.bias": {16},
	}
	for i := range layers {
		layer := "encoder.layer." + string(rune('0'+i)) + "."
		for _, part := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"} {
			shapes[layer+part+".weight"], shapes[layer+part+".bias"] = []int{16, 16}, []int{16}
		}
		for _, part := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
			shapes[layer+part+".gamma"], shapes[layer+part+".beta"] = []int{16}, []int{16}
		}
		shapes[layer+"intermediate.dense.weight"], shapes[layer+"intermediate.dense.bias"] = []int{32, 16}, []int{32}
		shapes[layer+"output.dense.weight"], shapes[layer+"output.dense.bias"] = []int{16, 32}, []int{16}
	}
	named := map[string][]int{}
	for name, shape := range shapes {
		named[prefix+name] = shape
	}
	if prefix != "" {
		named["cls.predictions.bias"], named["cls.predictions.transform.dense.weight"], named["cls.predictions.transform.dense.bias"] = []int{c.VocabSize}, []int{16, 16}, []int{16}
		named["cls.predictions.transform.LayerNorm.gamma"], named["cls.predictions.transform.LayerNorm.beta"] = []int{16}, []int{16}
		named["cls.seq_relationship.weight"] = []int{2, 16} // which says of sentences, not of pictures, whether they match
	}
	dir, weights = t.TempDir(), map[string][]float32{}
	var list []checkpoint.Tensor
	for i, name := range slices.Sorted(maps.Keys(named)) {
		if slices.ContainsFunc(less, func(l string) bool { return strings.HasPrefix(name, l) }) {
			continue
		}
		n := 1
		for _, d := range named[name] {
			n *= d
		}
		values := make([]float32, n)
		for j := range values {
			values[j] = float32(i) + float32(j)/1024
		}
		tensor, err := checkpoint.FromFloat32s(name, named[name], values)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, tensor)
		if strings.HasPrefix(name, "cls.seq_relationship.") {
			continue
		}
		plain := strings.NewReplacer(".gamma", ".weight", ".beta", ".bias").Replace(name)
		weights[strings.TrimPrefix(plain, "bert.")] = values
	}
	if err := checkpoint.Write(filepath.Join(dir, "model.safetensors"), list, nil); err != nil {
		t.Fatal(err)
	}
	return dir, weights
}

// TestBeginBert: BERT's embeddings, its first layers, its pooler and in pre-training its head become LXMERT's; the rest is fresh.
func TestBeginBert(t *testing.T) {
	for name, c := range map[string]struct {
		prefix string
		layers int
		less   string
		head   model.Head
	}{
		"for questions":             {"bert.", 3, "none", model.HeadQuestionAnswering},
		"for pre-training":          {"bert.", 1, "none", model.HeadPreTraining},
		"for statements, no head":   {"", 2, "none", model.HeadNLVR2},
		"pre-training without head": {"bert.", 1, "cls.", model.HeadPreTraining},
		"no pooler":                 {"bert.", 1, "bert.pooler.", model.HeadPreTraining},
	} {
		t.Run(name, func(t *testing.T) {
			dir, weights := bertDirectory(t, c.prefix, c.layers, c.less)
			got, told := begun(t, tasks.Begin{Config: blocks.Config(), Head: c.head, Seed: 5, Bert: dir})
			taken := 0
			from(t, got, told, fresh(t, blocks.Config(), c.head, 5), func(weight string) []float32 {
				values := weights[strings.TrimPrefix(weight, "lxmert.")]
				if values != nil {
					taken++
				}
				return values
			})
			if taken < 21 || told.All {
				t.Errorf("%d weights are BERT's; told %+v", taken, told)
			}
		})
	}
	t.Run("no BERT", func(t *testing.T) {
		small, _ := bertDirectory(t, "bert.", 1)
		more := blocks.Config()
		more.LanguageLayers = 2
		wider := blocks.Config()
		wider.HiddenSize, wider.NumAttentionHeads = 32, 2
		for name, c := range map[string]struct {
			config *model.Config
			dir    string
			want   string
		}{
			"too few layers": {more, small, "bert.encoder.layer.1.attention"},
			"another size":   {wider, small, "bert.embeddings.word_embeddings.weight"},
			"no directory":   {blocks.Config(), filepath.Join(small, "none"), "none"},
		} {
			_, _, err := tasks.Begin{Config: c.config, Head: model.HeadQuestionAnswering, Bert: c.dir}.Model(openEngine(t))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", name, err, c.want)
			}
		}
	})
}

// TestBeginAnswers: the rows of the answer head follow their answers; all other weights are --init's, or from the same checkpoint.
func TestBeginAnswers(t *testing.T) {
	preConfig := blocks.Config()
	preConfig.NumQALabels = 4
	answers, weights := directory(t, preConfig, model.HeadPreTraining, 1)
	init, initWeights := directory(t, preConfig, model.HeadPreTraining, 2)
	b := tasks.Begin{
		Config: blocks.Config(), Head: model.HeadQuestionAnswering, Seed: 5, Answers: answers,
		AnswerLabels: []string{"3", "man", "yes", "gray"},
		Labels:       []string{"Yes.", "unheard of", "three", "the grey", "a man"}, // as pre-training has them: yes, -, 3, gray, man
	}
	rows := []int{2, -1, 0, 3, 1}
	head := func(weight string) []float32 {
		values := weights[weight]
		if !strings.HasPrefix(weight, "answer_head.logit_fc.3.") {
			return values
		}
		width := len(values) / 4
		var want []float32
		for _, row := range rows {
			if row < 0 {
				want = append(want, make([]float32, width)...)
			} else {
				want = append(want, values[row*width:(row+1)*width]...)
			}
		}
		return want
	}
	got, told := begun(t, b)
	from(t, got, told, nil, head)
	if told.Transferred != 4 || told.Unknown != 1 || told.NotAnswering || told.All {
		t.Errorf("told %+v", told)
	}
	b.Init = init
	got, told = begun(t, b)
	from(t, got, told, nil, func(weight string) []float32 {
		if strings.HasPrefix(weight, "answer_head.") {
			return head(weight)
		}
		return initWeights[weight]
	})
	if told.Transferred != 4 || told.Unknown != 1 || told.NotAnswering || told.All {
		t.Errorf("told %+v", told)
	}
}

// TestBeginMisfits refuses what does not belong together, and says what.
func TestBeginMisfits(t *testing.T) {
	qa, _ := directory(t, blocks.Config(), model.HeadQuestionAnswering, 1)
	pre, _ := directory(t, blocks.Config(), model.HeadPreTraining, 2)
	bare, _ := directory(t, blocks.Config(), model.HeadModel, 3)
	wider, deeper, more := blocks.Config(), blocks.Config(), blocks.Config()
	wider.IntermediateSize, deeper.CrossLayers, more.NumQALabels = 48, 2, 9
	five := []string{"a", "b", "c", "d", "e"}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "model.safetensors"), []byte("no tensors"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b    tasks.Begin
		want string
	}{
		"another size":         {tasks.Begin{Config: wider, Init: qa}, "intermediate.dense.weight"},
		"more layers":          {tasks.Begin{Config: deeper, Init: qa}, "lxmert.encoder.x_layers.1."},
		"other answers":        {tasks.Begin{Config: more, Init: qa, KeepAnswers: true}, "answer_head.logit_fc.3.weight"},
		"no directory":         {tasks.Begin{Config: blocks.Config(), Init: filepath.Join(damaged, "none")}, "none"},
		"damaged":              {tasks.Begin{Config: blocks.Config(), Init: damaged}, damaged},
		"for statements":       {tasks.Begin{Config: blocks.Config(), Head: model.HeadNLVR2, Answers: pre, AnswerLabels: five, Labels: five}, "a model that answers questions"},
		"no table":             {tasks.Begin{Config: blocks.Config(), Answers: pre, AnswerLabels: five}, "has a table of its answers"},
		"no answer head":       {tasks.Begin{Config: blocks.Config(), Answers: bare, AnswerLabels: five, Labels: five}, "answer_head.logit_fc.0.weight"},
		"another table":        {tasks.Begin{Config: blocks.Config(), Answers: pre, AnswerLabels: five[:4], Labels: five}, "answer_head.logit_fc.3.weight"},
		"a table with doubles": {tasks.Begin{Config: blocks.Config(), Answers: pre, AnswerLabels: []string{"a", "a", "b", "c", "d"}, Labels: five}, `the pre-trained answers: entry 1: answer "a" is entry 0 already`},
	} {
		if c.b.Head == "" {
			c.b.Head = model.HeadQuestionAnswering
		}
		m, _, err := c.b.Model(openEngine(t))
		if m != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}
