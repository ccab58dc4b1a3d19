package main

import (
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// presetNote says that regions, from a file or store at path, are of another detector than those that a model was trained with; "" if they are
// not, or if it is unknown of either.
func presetNote(config *model.Config, path, found string) string {
	trained := pretrained.Preset(config)
	if found == "" || trained == "" || found == trained {
		return ""
	}
	return fmt.Sprintf(
		"%s: the regions are of preset %s, but the model was trained with those of %s: its answers mean little until it has learned from these",
		plain(path), plain(found), plain(trained))
}

// warnPreset prints presetNote, if there is anything to say.
func warnPreset(w io.Writer, config *model.Config, path, found string) {
	if note := presetNote(config, path, found); note != "" {
		fmt.Fprintf(w, "lxmert: %s\n", note)
	}
}
