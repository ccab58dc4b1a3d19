package tasks_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
	"github.com/go-lxmert/lxmert/vision"
)

// table has the answers of pre-training.
func table(t testing.TB) *answers.Table {
	t.Helper()
	entries := make([]answers.Entry, len(blocks.PreTrainingLabels))
	for i, answer := range blocks.PreTrainingLabels {
		entries[i].Answer = answer
	}
	table, err := answers.NewTable(entries)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// usual are the original's rates.
func usual(t testing.TB) tasks.PreTrainingOptions {
	return tasks.PreTrainingOptions{Labels: table(t), WordRate: 0.15, RegionRate: 0.15}
}

// value is a tensor's content as nested slices.
func value[T any](t *testing.T, x *tensors.Tensor) T {
	t.Helper()
	v, ok := x.Value().(T)
	if !ok {
		t.Fatalf("found %s", x.Shape())
	}
	return v
}

// TestPreTrainingBatch looks at batches of many chances, number by number: at what must hold whatever has been drawn.
func TestPreTrainingBatch(t *testing.T) {
	const tokens = 8
	world := blocks.Scenes(5, "p", 6)
	c := common(t, network(t, blocks.Config(), model.HeadPreTraining), world...)
	c.Train, c.MaxTokens = blocks.Sentences(world), tokens
	c.Train[3].Label = []answers.Score{{Answer: "The Yes.", Score: .1}, {Answer: "unheard of", Score: 1}} // found by its pre-training form
	o := usual(t)
	o.WordRate, o.RegionRate = 0.5, 0.4
	task, err := tasks.NewPreTraining(c, o)
	if err != nil {
		t.Fatal(err)
	}
	sentence := func(row []int32) string { return strings.Trim(fmt.Sprint(row), "[]") }
	about := map[string][]string{} // pictures that a sentence is about
	tokensOf := make([]string, len(c.Train))
	for i, q := range c.Train {
		ids, err := c.Tokenizer.AppendIDs(nil, q.Sentence, tokens)
		if err != nil {
			t.Fatal(err)
		}
		tokensOf[i] = sentence(ids)
		about[tokensOf[i]] = append(about[tokensOf[i]], q.Image)
	}
	pictures := map[string]blocks.Scene{}
	for _, s := range world {
		pictures[s.ID] = s
	}
	seen := map[string]int{}
	for chance := range uint64(60) {
		examples := []int{3, int(chance) % len(c.Train), 5}
		b, err := task.Batch(t.Context(), train.Request{Examples: examples, Chance: chance})
		if err != nil {
			t.Fatal(err)
		}
		ids, mask, words := value[[][]int32](t, b.Inputs.InputIDs), value[[][]float32](t, b.Inputs.AttentionMask), value[[][]int32](t, b.Inputs.Labels)
		matched, answer := value[[]int32](t, b.Inputs.MatchedLabel), value[[]int32](t, b.Inputs.Ans)
		features, boxes := value[[][][]float32](t, b.Inputs.VisualFeats), value[[][][]float32](t, b.Inputs.VisualPos)
		objects, attributes, target := b.Inputs.ObjLabels.Obj, b.Inputs.ObjLabels.Attr, b.Inputs.ObjLabels.Feat
		for i, e := range examples {
			q := c.Train[e]
			var shown []int32
			for j, id := range ids[i] {
				if mask[i][j] == 0 {
					if id != 0 || words[i][j] != model.IgnoreLabel {
						t.Fatalf("padding is token %d, label %d", id, words[i][j])
					}
					continue
				}
				if words[i][j] != model.IgnoreLabel {
					id = words[i][j]
					seen["word masked"]++
					if ids[i][j] == 4 {
						seen["word hidden"]++
					}
				}
				shown = append(shown, id)
			}
			if n := len(shown); words[i][0] != model.IgnoreLabel || words[i][n-1] != model.IgnoreLabel || shown[0] != 2 || shown[n-1] != 3 {
				t.Fatalf("[CLS] or [SEP] is masked: %v, labels %v", ids[i], words[i])
			}
			switch of := about[sentence(shown)]; {
			case of == nil:
				t.Fatalf("no sentence is %v", shown)
			case matched[i] == 1 && tokensOf[e] != sentence(shown):
				t.Fatalf("another sentence is said to be the picture's own")
			case matched[i] == 0 && !slices.ContainsFunc(of, func(image string) bool { return image != q.Image }):
				t.Fatalf("a sentence about the picture alone is said to be another's")
			case matched[i] == 0:
				seen["mismatch"]++
				if answer[i] != model.IgnoreLabel {
					t.Fatalf("another picture's question has answer %d", answer[i])
				}
			case e == 3: // matched
				seen["converted"]++
				if answer[i] != 2 {
					t.Fatalf("found answer %d, want that of yes", answer[i])
				}
			case q.Label == nil && answer[i] != model.IgnoreLabel:
				t.Fatalf("a caption has answer %d", answer[i])
			case q.Label != nil && q.Source == "vqa" && e != 3:
				known := []int32{}
				for _, a := range q.Label {
					if id := slices.Index(blocks.PreTrainingLabels, a.Answer); id >= 0 {
						known = append(known, int32(id))
					}
				}
				if len(known) == 0 {
					known = []int32{model.IgnoreLabel}
				}
				if !slices.Contains(known, answer[i]) {
					t.Fatalf("found answer %d to %v", answer[i], q.Label)
				}
				seen["answer"]++
			}
			r := pictures[q.Image]
			for j := range features[i] {
				there := j < r.Len()
				ids, confidences := value[[][]int32](t, objects.Label)[i], value[[][]float32](t, objects.Conf)[i]
				attrs, attrConf := value[[][]int32](t, attributes.Label)[i], value[[][]float32](t, attributes.Conf)[i]
				wanted, weight := value[[][][]float32](t, target.Label)[i][j], value[[][]float32](t, target.Conf)[i][j]
				if !there {
					if value[[][]float32](t, b.Inputs.VisualAttentionMask)[i][j] != 0 || ids[j] != model.IgnoreLabel || attrs[j] != model.IgnoreLabel || confidences[j] != 0 || attrConf[j] != 0 ||
						weight != 0 || slices.Max(features[i][j]) != 0 || slices.Max(wanted) != 0 || slices.Max(boxes[i][j]) != 0 {
						t.Fatalf("there is something in the place of region %d of %d", j, r.Len())
					}
					continue
				}
				if int(ids[j]) != r.Objects[j].ID || confidences[j] != r.Objects[j].Confidence || int(attrs[j]) != r.Attributes[j].ID || attrConf[j] != r.Attributes[j].Confidence {
					t.Fatalf("labels of region %d", j)
				}
				if !slices.Equal(wanted, r.Feature(j)) || !slices.Equal(boxes[i][j], r.Box(j)) {
					t.Fatalf("the target of region %d is not its feature, or its box another's", j)
				}
				of := origin(features[i][j], world)
				switch {
				case weight == 0 && !slices.Equal(features[i][j], r.Feature(j)):
					t.Fatalf("region %d need not be predicted, but is not itself", j)
				case weight == 0:
				case of == "":
					seen["region hidden"]++
				case of == q.Image && !slices.Equal(features[i][j], r.Feature(j)):
					t.Fatalf("region %d is another of the same picture", j)
				case of == q.Image:
					seen["region kept"]++
				default:
					seen["region replaced"]++
				}
				if weight != 0 && weight != 1 {
					t.Fatalf("weight %v", weight)
				}
			}
		}
		again, err := task.Batch(t.Context(), train.Request{Examples: examples, Chance: chance})
		if err != nil {
			t.Fatal(err)
		}
		other, err := task.Batch(t.Context(), train.Request{Examples: examples, Chance: chance + 1})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(content(b), content(again)) {
			t.Fatal("the same chance gives another batch")
		}
		if reflect.DeepEqual(content(b), content(other)) {
			t.Fatal("another chance gives the same batch")
		}
	}
	for _, what := range []string{"word masked", "word hidden", "mismatch", "converted", "answer", "region hidden", "region kept", "region replaced"} {
		if seen[what] < 10 {
			t.Errorf("%s: seen %d times; the test shows nothing", what, seen[what])
		}
	}
}

// origin is the picture that a feature is of; "" of zeros.
func origin(feature []float32, world []blocks.Scene) string {
	if slices.Max(feature) == 0 {
		return ""
	}
	for _, s := range world {
		for i := range s.Len() {
			if slices.Equal(s.Feature(i), feature) {
				return s.ID
			}
		}
	}
	return "nowhere"
}

// content is a batch as nested slices, by names.
func content(b *train.Batch) map[string]any {
	found := map[string]any{"unlabelled": b.Unlabelled}
	for name, x := range b.Inputs.Given() {
		found[name] = x.Value()
	}
	return found
}

// TestPreTrainingTasks: what is not learned has no labels, and nothing is masked for it.
func TestPreTrainingTasks(t *testing.T) {
	all := []string{"labels", "matched_label", "ans", "obj_labels.obj.label", "obj_labels.obj.conf", "obj_labels.attr.label", "obj_labels.attr.conf", "obj_labels.feat.label", "obj_labels.feat.conf"}
	without := func(prefixes ...string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(name string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
		})
	}
	for name, c := range map[string]struct {
		off  func(*model.Config)
		from int
		want []string
	}{
		"all":            {func(*model.Config) {}, 0, all},
		"later answers":  {func(*model.Config) {}, 2, without("ans")},
		"answers by now": {func(*model.Config) {}, 1, all},
		"no words":       {func(c *model.Config) { c.TaskMaskLM = false }, 0, without("labels")},
		"no matching":    {func(c *model.Config) { c.TaskMatched = false }, 0, without("matched_label")},
		"no answers":     {func(c *model.Config) { c.TaskQA = false }, 0, without("ans")},
		"no regions":     {func(c *model.Config) { c.TaskObjPredict = false }, 0, without("obj_labels")},
		"no objects":     {func(c *model.Config) { c.VisualObjLoss = false }, 0, without("obj_labels.obj")},
		"no attributes":  {func(c *model.Config) { c.VisualAttrLoss = false }, 0, without("obj_labels.attr")},
		"no features":    {func(c *model.Config) { c.VisualFeatLoss = false }, 0, without("obj_labels.feat")},
	} {
		t.Run(name, func(t *testing.T) {
			config := blocks.Config()
			c.off(config)
			world := blocks.Scenes(5, "p", 4)
			w := common(t, network(t, config, model.HeadPreTraining), world...)
			w.Train = blocks.Sentences(world)
			o := usual(t)
			o.AnswersFrom, o.WordRate, o.RegionRate = c.from, 1, 1
			task, err := tasks.NewPreTraining(w, o)
			if err != nil {
				t.Fatal(err)
			}
			b, err := task.Batch(t.Context(), train.Request{Examples: []int{0, 1, 2, 3, 4, 5, 6}, Epoch: 1})
			if err != nil {
				t.Fatal(err)
			}
			given := maps.Collect(b.Inputs.Given())
			for _, known := range all {
				if _, ok := given[known]; ok != slices.Contains(c.want, known) {
					t.Errorf("%s: found %v", known, ok)
				}
			}
			if !config.TaskMaskLM && strings.Contains(fmt.Sprint(value[[][]int32](t, b.Inputs.InputIDs)), " 4 ") {
				t.Error("words are masked")
			}
			if !config.TaskObjPredict {
				for _, row := range value[[][][]float32](t, b.Inputs.VisualFeats) {
					if origin(row[0], world) == "" {
						t.Error("regions are masked")
					}
				}
			}
			if !config.TaskMatched {
				for i, row := range value[[][]int32](t, b.Inputs.Labels) {
					ids, _ := w.Tokenizer.AppendIDs(nil, w.Train[i].Sentence, w.MaxTokens)
					for j := 1; j < len(ids)-1; j++ {
						if row[j] != ids[j] {
							t.Fatalf("sentence %d is another", i)
						}
					}
				}
			}
		})
	}
}

// TestUnlabelled: a part of the loss for which a batch has no label is named, the step does not fail, and the others are as they are.
func TestUnlabelled(t *testing.T) {
	world := blocks.Scenes(5, "p", 4)
	m := network(t, blocks.Config(), model.HeadPreTraining)
	w := common(t, m, world...)
	w.Train = blocks.Sentences(world)
	o := usual(t)
	o.WordRate = 0
	task, err := tasks.NewPreTraining(w, o)
	if err != nil {
		t.Fatal(err)
	}
	captions := []int{0, 6, 12}
	b, err := task.Batch(t.Context(), train.Request{Examples: captions})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.Unlabelled, []string{"mask_lm", "qa"}) {
		t.Errorf("unlabelled: %v", b.Unlabelled)
	}
	step, err := train.NewStep(m, task.Objective(), train.BertAdam{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	r, err := step.Run(1e-3, 1, b)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(r.Parts)); !slices.Equal(got, []string{"attr", "feat", "matched", "obj"}) || !(r.Loss > 0) || !(r.GradientNorm > 0) {
		t.Errorf("loss %v, gradient %v, parts %v", r.Loss, r.GradientNorm, r.Parts)
	}
	sum := 0.0
	for _, part := range r.Parts {
		sum += part
	}
	if d := sum - r.Loss; d > 1e-5 || d < -1e-5 {
		t.Errorf("parts are %v together, the loss %v", sum, r.Loss)
	}
	if task.Scores(captions, nil) != nil || r.Choices != nil {
		t.Error("pre-training has scores")
	}
}

// TestPreTrainingValidation is the same each time, and its loss is that of its parts.
func TestPreTrainingValidation(t *testing.T) {
	world := blocks.Scenes(5, "p", 12)
	m := network(t, blocks.Config(), model.HeadPreTraining)
	w := common(t, m, world...)
	w.Train, w.Valid = blocks.Sentences(world[:4]), blocks.Sentences(world[4:]) // 48 sentences, two batches
	var progress []int
	w.Progress = func(done, of int) { progress = append(progress, done, of) }
	task, err := tasks.NewPreTraining(w, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	one, err := task.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(progress, []int{32, 48, 48, 48}) {
		t.Errorf("progress %v", progress)
	}
	if got := slices.Sorted(maps.Keys(one.Losses)); !slices.Equal(got, []string{"attr", "feat", "mask_lm", "matched", "obj", "qa"}) {
		t.Errorf("parts %v", got)
	}
	sum := 0.0
	for _, part := range one.Losses {
		sum += part
	}
	if one.Score != nil || one.Predictions != nil || one.Loss == nil || !(*one.Loss > 0) || *one.Loss-sum > 1e-9 || sum-*one.Loss > 1e-9 {
		t.Errorf("got %+v, parts are %v together", one, sum)
	}
	if _, err := task.Batch(t.Context(), train.Request{Examples: []int{1, 2, 3}, Chance: 9}); err != nil { // which must not matter
		t.Fatal(err)
	}
	two, err := task.Validate(t.Context())
	if err != nil || !reflect.DeepEqual(one.Losses, two.Losses) {
		t.Errorf("the second time %v, %v; want %v", two.Losses, err, one.Losses)
	}
	w.Valid = nil
	if task, err = tasks.NewPreTraining(w, usual(t)); err != nil {
		t.Fatal(err)
	}
	if v, err := task.Validate(t.Context()); v != nil || err != nil {
		t.Errorf("nothing to judge by: %+v, %v", v, err)
	}
}

// TestPreTrainingErrors: regions whose labels the losses cannot learn from, and options out of range.
func TestPreTrainingErrors(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*tasks.Common, *tasks.PreTrainingOptions, []blocks.Scene)
		want  string
	}{
		"no objects":       {func(_ *tasks.Common, _ *tasks.PreTrainingOptions, s []blocks.Scene) { s[0].Objects = nil }, `"A picture of`},
		"no objects, why":  {func(_ *tasks.Common, _ *tasks.PreTrainingOptions, s []blocks.Scene) { s[0].Objects = nil }, "no object or no attribute labels"},
		"object beyond":    {func(_ *tasks.Common, _ *tasks.PreTrainingOptions, s []blocks.Scene) { s[0].Objects[2].ID = 4 }, "object label of region 2 is 4, the model knows 0 to 3"},
		"attribute beyond": {func(_ *tasks.Common, _ *tasks.PreTrainingOptions, s []blocks.Scene) { s[0].Attributes[1].ID = 99 }, "attribute label of region 1 is 99, the model knows 0 to 3"},
		"word rate":        {func(_ *tasks.Common, o *tasks.PreTrainingOptions, _ []blocks.Scene) { o.WordRate = 1.5 }, "share of masked words is 1.5"},
		"region rate":      {func(_ *tasks.Common, o *tasks.PreTrainingOptions, _ []blocks.Scene) { o.RegionRate = -1 }, "share of masked regions is -1"},
		"no table":         {func(_ *tasks.Common, o *tasks.PreTrainingOptions, _ []blocks.Scene) { o.Labels = nil }, "wants a table of 5 answers"},
		"another table":    {func(_ *tasks.Common, o *tasks.PreTrainingOptions, _ []blocks.Scene) { o.Labels = o.Labels.Of("none") }, "wants a table of 5 answers"},
		"one picture":      {func(c *tasks.Common, _ *tasks.PreTrainingOptions, _ []blocks.Scene) { c.Train = c.Train[:5] }, "data to learn from: 5 sentences about 1 pictures"},
		"one to judge by":  {func(c *tasks.Common, _ *tasks.PreTrainingOptions, _ []blocks.Scene) { c.Valid = c.Train[:5] }, "data of the validation: 5 sentences about 1 pictures"},
		"two pictures": {func(c *tasks.Common, _ *tasks.PreTrainingOptions, _ []blocks.Scene) {
			c.Train = append(c.Train, questions.Question{Image: "p0", Second: "p1", Sentence: "A red thing"})
		}, "found pictures: 2, want 1"},
	} {
		world := blocks.Scenes(5, "p", 4)
		w := common(t, network(t, blocks.Config(), model.HeadPreTraining), world...)
		w.Train = blocks.Sentences(world)
		o := usual(t)
		c.spoil(&w, &o, world)
		if _, err := tasks.NewPreTraining(w, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestWithoutLabels: a detector without labels will do where they are not learned.
func TestWithoutLabels(t *testing.T) {
	world := blocks.Scenes(5, "p", 4)
	for i := range world {
		world[i].Objects, world[i].Attributes = nil, []vision.Label(nil)
	}
	config := blocks.Config()
	config.VisualObjLoss, config.VisualAttrLoss = false, false
	w := common(t, network(t, config, model.HeadPreTraining), world...)
	w.Train = blocks.Sentences(world)
	task, err := tasks.NewPreTraining(w, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := task.Batch(t.Context(), train.Request{Examples: []int{0, 7}}); err != nil {
		t.Error(err)
	}
}
