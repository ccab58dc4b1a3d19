// Command ask is a Go program that asks a picture: it decodes it, finds its regions, and lets the model inside the module answer.
//
//	go run ./examples/ask picture.png "What color is the car?" "How many stars are there?"
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

func main() {
	if err := ask(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(ctx context.Context, out io.Writer, args []string) error {
	if len(args) < 2 {
		return errors.New("want a picture and questions about it")
	}
	img, err := vision.DecodeFile(args[0])
	if err != nil {
		return err
	}
	regions, err := scenes.Detector{}.Extract(ctx, img)
	if err != nil {
		return err
	}
	m, err := lxmert.Shipped() // lxmert.Open("model-directory") for a model of your own
	if err != nil {
		return err
	}
	defer m.Close()
	var queries []lxmert.Query
	for _, question := range args[1:] {
		queries = append(queries, lxmert.Query{Regions: regions, Question: question})
	}
	answers, err := m.AskBatch(ctx, queries) // as many m.Ask would do, one after the other
	if err != nil {
		return err
	}
	for i, q := range queries {
		best := answers[i][0]
		fmt.Fprintf(out, "%s %s (%.0f %%)\n", q.Question, best.Text, 100*best.Probability)
	}
	if scenes.Familiar(img) < scenes.FamiliarEnough {
		fmt.Fprintln(out, "But this is no drawn scene, and the model knows nothing else.")
	}
	return nil
}
