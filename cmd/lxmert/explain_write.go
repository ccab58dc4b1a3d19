package main

import (
	"context"
	"image"
	"io"
	"path/filepath"
	"strings"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/explain/show"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

// write makes the file of --out.
func (f *explainFlags) write(ctx context.Context, v *view, e *explained, all []*explain.Explanation, o show.Options) error {
	if f.ending() == jsonEnding {
		return atomicfile.Write(f.out, 0o644, func(w io.Writer) error { return printJSON(w, e) })
	}
	img := v.image
	if img == nil {
		img = annotate.Ground(v.regions.Size)
	}
	if f.page() {
		p := show.Page{Title: "Why? — " + filepath.Base(v.source), Model: "Asked: the shipped model", Notes: v.notes}
		if f.model != "" {
			p.Model = "Asked: the model in " + f.model
		}
		return atomicfile.Write(f.out, 0o644, func(w io.Writer) error {
			if err := show.HTML(ctx, w, img, v.regions, all, p, o); err != nil {
				return pretrained.InFile(v.source, err)
			}
			return nil
		})
	}
	o.Note = strings.Join(v.notes, " ")
	picture, err := drawExplanations(ctx, v, img, all, o)
	if err != nil {
		return pretrained.InFile(v.source, err)
	}
	return annotate.Save(f.out, picture)
}

// drawExplanations is one drawing, or a sheet of several.
func drawExplanations(ctx context.Context, v *view, img image.Image, all []*explain.Explanation, o show.Options) (image.Image, error) {
	if len(all) == 1 {
		return show.Draw(ctx, img, v.regions, all[0], o)
	}
	o.Longest = annotate.SheetLongest
	var cards []annotate.Captioned
	for _, x := range all {
		card, err := show.Draw(ctx, img, v.regions, x, o)
		if err != nil {
			return nil, err
		}
		cards = append(cards, annotate.Captioned{Picture: card})
	}
	return annotate.Sheet(cards)
}
