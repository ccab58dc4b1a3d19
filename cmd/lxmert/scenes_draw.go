package main

import (
	"fmt"
	"image/png"
	"io"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/scenes"
)

func newScenesDraw() *cobra.Command {
	var seed uint64
	var out string
	cmd := &cobra.Command{
		Use:   "draw --seed S --out FILE.png",
		Short: "Draw one scene",
		Long:  `Draw draws the scene of a seed as PNG, and says what is in it.`,
		Example: `  lxmert scenes draw --seed 256759 --out park.png
  lxmert ask park.png "what color is the car?"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			scene := scenes.New(seed)
			err := atomicfile.Write(out, 0o644, func(w io.Writer) error { return png.Encode(w, scene.Draw()) })
			if err != nil {
				return err
			}
			for _, o := range scene.Objects {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s\n", o.Size, o.Color, o.Kind); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "`seed` of the scene")
	cmd.Flags().StringVar(&out, "out", "", "PNG `file` to write")
	required(cmd, "out")
	return cmd
}
