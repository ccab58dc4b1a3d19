package scenes_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/scenes"
)

// A data set to try training with; its questions are read as any others.
func ExampleGenerate() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	set := filepath.Join(dir, "set")
	report, err := scenes.Generate(context.Background(), set, scenes.Options{Images: 20, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	read := 0
	for _, err := range questions.LXMERT(filepath.Join(set, "gqa.json")) {
		if err != nil {
			log.Fatal(err)
		}
		read++
	}
	fmt.Println(report.Images, "pictures", report.Statements, "statements", read == report.GQA)
	// Output: 20 pictures 19 statements true
}
