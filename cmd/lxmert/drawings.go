package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/vision/annotate"
)

// drawFlags choose the regions that are shown and drawn, and where the drawings go.
type drawFlags struct {
	out        string
	top        int
	confidence float32
}

func (f *drawFlags) add(cmd *cobra.Command, out string) {
	cmd.Flags().StringVar(&f.out, "out", "", out)
	cmd.Flags().IntVar(&f.top, "top", 0, "show the `n` regions that are surest of their object (default: all)")
	cmd.Flags().Float32Var(&f.confidence, "min-confidence", 0,
		"show regions that are at least that sure of their object, `x` in 0..1; regions without labels are always shown")
}

func (f *drawFlags) check() error {
	switch {
	case f.top < 0:
		return usagef("--top: found %d, want 0 (all) or more", f.top)
	case !(f.confidence >= 0 && f.confidence <= 1): // so that NaN fails
		return usagef("--min-confidence: found %v, want 0 to 1", f.confidence)
	}
	return nil
}

// one says whether --out is one picture; else it is a directory of them.
func (f *drawFlags) one() bool { return annotate.IsPicture(f.out) }

// path is where the drawing of a picture with that id goes in the directory --out, which is made if need be.
func (f *drawFlags) path(id string) (string, error) {
	if strings.ContainsAny(id, `/\`+"\x00") || !filepath.IsLocal(id) {
		return "", fmt.Errorf("the id %s cannot be the name of a file: give --out FILE.png", plain(id))
	}
	return filepath.Join(f.out, id+".png"), os.MkdirAll(f.out, 0o755)
}

// apart refuses to write a drawing over the picture it is of.
func apart(drawing, picture string) error {
	a, err := os.Stat(drawing)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if b, err := os.Stat(picture); err == nil && os.SameFile(a, b) {
		return usagef("--out: %s is the picture itself, want another file", drawing)
	}
	return nil
}

// crowding is how many labels found no room on drawings.
type crowding struct{ regions, numbered, bare int }

func (c *crowding) add(d *annotate.Drawing) {
	c.regions += len(d.Regions)
	c.numbered += d.Numbered
	c.bare += d.Bare
}

// say tells of it, if there is any in the file at path.
func (c *crowding) say(w io.Writer, path string) {
	if c.numbered+c.bare == 0 {
		return
	}
	bare := ""
	if c.bare > 0 {
		bare = fmt.Sprintf(", and %s not even for that", grouped(c.bare))
	}
	fmt.Fprintf(w, "lxmert: %s: of %s regions %s found room for their number only%s; --top or --min-confidence draw fewer\n",
		plain(path), grouped(c.regions), grouped(c.numbered), bare)
}
