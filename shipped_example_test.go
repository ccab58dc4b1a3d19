package lxmert_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/scenes"
)

// ExampleShipped asks the model inside the module about a picture; it may as well come from a file, with vision.DecodeFile.
func ExampleShipped() {
	m, err := lxmert.Shipped()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	ctx := context.Background()
	img := scenes.New(3).Draw()
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
	fmt.Printf("%d regions; every answer has its probability: %t\n", regions.Len(), len(answers) == len(m.Labels()))
	// Output: 8 regions; every answer has its probability: true
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
