package lxmert_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

// ExampleShipped asks the model inside the module about a picture.
func ExampleShipped() {
	m, err := lxmert.Shipped()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	ctx := context.Background()
	img, err := vision.DecodeFile("examples/park.png")
	if err != nil {
		fmt.Println(err)
		return
	}
	regions, err := scenes.Detector{}.Extract(ctx, img)
	if err != nil {
		fmt.Println(err)
		return
	}
	answers, err := m.Ask(ctx, regions, "What color is the car?")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answers[0].Text)
	// Output: red
}

// ExampleOpenFS opens a model in a file system: here a directory, but an embed.FS or a zip.Reader will do.
func ExampleOpenFS() {
	files, err := fs.Sub(os.DirFS("examples"), "tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := lxmert.OpenFS(files)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	fmt.Println(len(m.Labels()), "answers, the first is", m.Labels()[0])
	// Output: 22 answers, the first is yes
}
