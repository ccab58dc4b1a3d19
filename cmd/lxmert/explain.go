package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/explain/show"
	"github.com/go-lxmert/lxmert/internal/similar"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

// explainFlags are explain's.
type explainFlags struct {
	lookFlags
	words                   vocabularyFlags
	method, maps            string
	answer, out, color      string
	layer, head, top, boxes int
	asJSON                  bool

	options explain.Options // of method, maps, layer and head
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain IMAGE QUESTION... [--out why.png|why.html|why.json]",
		Short: "Show which words and regions an answer is because of",
		Long: `Explain answers questions about a picture as lxmert ask does, and says what in the question and in the picture counted for the answer:
words and regions with their scores, by the method of Chefer et al. (2021), or another one; docs/explain.md says what each tells and what it does not.

On a terminal the words of the question stand on their shades, light for what counted most. With --out it is drawn: as a picture (.png, .jpg: the picture, dark
where nothing counted, the question and the answers; of several questions side by side), a page for a browser in one file (.html: pointing at a word or a region
shows what it draws on; each attention of the network can be looked at), or as JSON.

JSON, of --json or --out FILE.json, is that of lxmert ask, with an object for each region (regions), and for each question what the model's API
calls an explanation: its scores, shades and matrices, and with --maps the attentions.

Pictures, detectors, models and regions are found as by lxmert ask; see there. Explanations take gradients, so the model computes in float32, a quantised one too.`,
		Example: `  lxmert explain examples/park.png "What color is the car?" --out why.png
  lxmert explain examples/park.png "What color is the car?" "What is left of the car?" --out why.html
  lxmert explain examples/park.png "Is the car red?" --answer no
  lxmert explain examples/park.png "What color is the car?" --method attention --layer 1 --head 3
  lxmert explain --model unc-nlp/lxmert-vqa-uncased --detector unc-nlp/frcnn-vg-finetuned photo.jpg "What is on the table?" --out why.html`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := f.checkOptions(cmd); err != nil {
				return err
			}
			return f.check(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.add(cmd)
	wide := model.Float32 // gradients are taken
	f.dtype.precision = &wide
	f.words.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.method, "method", "", fmt.Sprintf("how: `name` one of %s\n(default: %s; %s with --layer or --head)",
		explain.MethodNames(), explain.MethodRelevance, explain.MethodAttention))
	flags.IntVar(&f.layer, "layer", 0, "with --method attention: cross-modality layer `n`, from 0 (default: the last)")
	flags.IntVar(&f.head, "head", 0, "with --method attention: head `n`, from 0 (default: the mean of all)")
	flags.StringVar(&f.answer, "answer", "", "explain this `answer` in place of the best")
	flags.StringVar(&f.maps, "maps", "", "attentions that JSON and pages have besides: `detail` none, mean (over the heads) or all\n"+
		"(default: mean for a page, none for JSON)")
	flags.StringVar(&f.out, "out", "", "draw it, or write it down: `file` .png, .jpg, .html or .json")
	flags.IntVar(&f.boxes, "boxes", 3, "put boxes around the `n` regions that counted most")
	flags.IntVar(&f.top, "top", 5, "show the best `n` answers, and as many words and regions")
	flags.StringVar(&f.color, "color", "auto", "colours in what is printed: auto (on a terminal, unless $NO_COLOR is set), always or never")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	return cmd
}

// kinds of files that --out makes.
var pageEndings = []string{".html", ".htm"}

const jsonEnding = ".json"

func (f *explainFlags) ending() string { return strings.ToLower(filepath.Ext(f.out)) }

func (f *explainFlags) page() bool { return slices.Contains(pageEndings, f.ending()) }

// checkOptions refuses what means nothing, before a picture is looked at.
func (f *explainFlags) checkOptions(cmd *cobra.Command) error {
	flags := cmd.Flags()
	given := func(name string, value *int) *int {
		if flags.Changed(name) {
			return value
		}
		return nil
	}
	f.options.Layer, f.options.Head = given("layer", &f.layer), given("head", &f.head)
	if f.method == "" && (f.options.Layer != nil || f.options.Head != nil) {
		f.method = string(explain.MethodAttention)
	}
	var err error
	if f.options.Method, err = explain.ParseMethod(f.method); err != nil {
		return usagef("--%v", err)
	}
	if f.options.Maps, err = explain.ParseDetail(f.maps); err != nil {
		return usagef("--%v", err)
	}
	if f.maps == "" && f.page() {
		f.options.Maps = explain.MapsMean
	}
	switch {
	case f.options.Method != explain.MethodAttention && (f.options.Layer != nil || f.options.Head != nil):
		return usagef("--layer and --head are for --method %s, found %s", explain.MethodAttention, f.options.Method)
	case f.out != "" && !annotate.IsPicture(f.out) && !f.page() && f.ending() != jsonEnding:
		return usagef("--out: found %s, want a name that ends in %s", f.out, strings.Join(slices.Concat(annotate.Endings(), pageEndings, []string{jsonEnding}), ", "))
	case f.top < 1:
		return usagef("--top: found %d, want 1 or more", f.top)
	case f.boxes < 0:
		return usagef("--boxes: found %d, want 0 or more", f.boxes)
	case f.color != "auto" && f.color != "always" && f.color != "never":
		return usagef("--color: found %q, want auto, always or never", f.color)
	}
	return nil
}

// run looks, asks, explains, draws and prints.
func (f *explainFlags) run(cmd *cobra.Command, args []string) error {
	view, m, err := f.openBoth(cmd, args)
	if err != nil {
		return err
	}
	defer m.Close()
	if f.out != "" && view.picture != "" {
		if err := apart(f.out, view.picture); err != nil {
			return err
		}
	}
	if f.answer != "" {
		id, err := answerID(m.Labels(), f.answer)
		if err != nil {
			return err
		}
		f.options.Answer = &id
	}
	words, err := f.words.of(view.regions.Preset)
	if err != nil {
		return err
	}
	e := &explained{
		Model: f.modelName(), Picture: view.picture, ImageID: f.imageID, Regions: regionRecords(view.regions, view.regions.Ranked(0, 0), words),
		Preset: view.regions.Preset, Familiar: view.familiar, Notes: view.notes, LoadMS: m.loadMS, SeeMS: view.seeMS, Detector: view.detector,
		Cached: view.cached, Stages: view.stages,
	}
	slices.SortFunc(e.Regions, func(a, b regionRecord) int { return a.Region - b.Region })
	var all []*explain.Explanation
	for _, question := range view.questions {
		start := time.Now()
		x, err := explain.Relevance(cmd.Context(), m.Model, view.regions, question, f.options)
		if err != nil {
			return fmt.Errorf("%q: %w", shortened(question), err)
		}
		all = append(all, x)
		e.Questions = append(e.Questions, newExplainedQuestion(x, f.top, view.trust(), milliseconds(start)))
	}
	if f.out != "" {
		e.Out = f.out
		if err := f.write(cmd.Context(), view, e, all, show.Options{Vocabulary: words, Top: boxes(f.boxes), Answers: f.top}); err != nil {
			return err
		}
	}
	for _, note := range view.notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "lxmert: %s\n", note)
	}
	if f.asJSON {
		return printJSON(cmd.OutOrStdout(), e)
	}
	return e.print(cmd.OutOrStdout(), printedWords{f.colored(cmd), f.top, words, view.regions})
}

// boxes is show's number for n: 0 means something else there.
func boxes(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// colored says whether what is printed may have colours.
func (f *explainFlags) colored(cmd *cobra.Command) bool {
	switch f.color {
	case "always":
		return true
	case "never":
		return false
	}
	return os.Getenv("NO_COLOR") == "" && newLiveLine(cmd.OutOrStdout()).live()
}

// answerID finds an answer in the table: as it is written, or else but for upper and lower case.
func answerID(labels []string, answer string) (int, error) {
	if id := slices.Index(labels, answer); id >= 0 {
		return id, nil
	}
	if id := slices.IndexFunc(labels, func(l string) bool { return strings.EqualFold(l, answer) }); id >= 0 {
		return id, nil
	}
	search := similar.Among(strings.ToLower(answer), max(2, len(answer)/3))
	for _, label := range labels {
		search.Consider(strings.ToLower(label), label)
	}
	hint := ""
	if near := search.Nearest(3); len(near) > 0 {
		hint = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return 0, usagef("--answer: %q is none of the model's %s answers%s", shortened(answer), grouped(len(labels)), hint)
}
