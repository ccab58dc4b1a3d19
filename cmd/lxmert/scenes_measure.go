package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/scenes/recipe"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// The files of a directory of scenes.
const (
	captionsFile = "captions.json"
	regionsDir   = "regions"
)

func newScenesMeasure() *cobra.Command {
	var dir, scenesDir, engine string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "measure --model DIR --data DIR",
		Short: "Measure what a pre-trained model knows of drawn scenes",
		Long: `Measure shows a pre-trained model the captions of drawn scenes that it has not learned from: how often it can tell a picture's caption from
another's, and how often it finds the word for a colour that is hidden in a caption.`,
		Example: `  lxmert scenes measure --model pretrained/best --data test`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := modelDir(cmd, dir)
			if err != nil {
				return err
			}
			result, err := measureScenes(cmd.Context(), dir, scenesDir, engine)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), result)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s captions\nmatching: %.2f %%\nhidden colours: %.2f %%\n", grouped(result.Captions), 100*result.Matching, 100*result.ColorWords)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "model", "", "model `directory`, or name on the hub; pre-trained")
	flags.StringVar(&scenesDir, "data", "", "`directory` that lxmert scenes generate made")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	backendFlag(cmd, &engine)
	required(cmd, "model", "data")
	return cmd
}

// scenesMeasured are shares of 1.
type scenesMeasured struct {
	Captions   int     `json:"captions"`
	Matching   float64 `json:"matching"`
	ColorWords float64 `json:"color_words"`
}

func measureScenes(ctx context.Context, dir, scenesDir, engineName string) (*scenesMeasured, error) {
	engine, err := backend.Open(engineName)
	if err != nil {
		return nil, usageError{err}
	}
	defer engine.Finalize()
	network, _, err := pretrained.Load(engine, dir, model.HeadPreTraining, pretrained.Options{})
	if err != nil {
		return nil, err
	}
	defer closeUnlessEnded(ctx, network)
	words, err := tokenizer.Load(dir)
	if err != nil {
		return nil, err
	}
	features, err := data.OpenStore(filepath.Join(scenesDir, regionsDir))
	if err != nil {
		return nil, err
	}
	defer features.Close()
	all, err := readAll(ctx, questions.LXMERT(filepath.Join(scenesDir, captionsFile)), nil)
	if err != nil {
		return nil, err
	}
	reading := recipe.Reading{Model: &model.LxmertForPreTraining{Network: network}, Words: words, Features: features}
	for _, q := range all {
		if q.Label == nil { // a caption; the others are questions
			reading.Captions = append(reading.Captions, q)
		}
	}
	result := &scenesMeasured{Captions: len(reading.Captions)}
	if result.Matching, err = reading.Matching(ctx); err != nil {
		return nil, err
	}
	result.ColorWords, err = reading.ColorWords(ctx)
	return result, err
}
