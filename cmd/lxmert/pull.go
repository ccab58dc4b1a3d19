package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/hub"
)

func newPull() *cobra.Command {
	var o hub.Options
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "pull NAME[@REVISION]",
		Short: "Download a model from the Hugging Face hub",
		Long: `Pull downloads a model by its name, ORG/NAME, and prints the directory that it is in: configuration, tokenizer, and one set of weights (safetensors
if there are, else PyTorch's, else TensorFlow's). The other verbs take a name wherever they take a model's directory, and download it in the same way.

It is the cache of Python's huggingface_hub (~/.cache/huggingface/hub, or HF_HUB_CACHE or HF_HOME), in its layout: what one of them has downloaded the
other finds. What is there is not downloaded again; what was interrupted goes on; every file is checked against its hash.

HF_TOKEN, or the file that Hugging Face's login writes, gives access to gated and private models. With HF_HUB_OFFLINE=1 the cache alone is used. HF_ENDPOINT
is another hub's address. docs/hub.md has the rest.

The answers of LXMERT's own models (unc-nlp/lxmert-…) are not on the hub; they are fetched from the authors' repository (LXMERT_LABELS_ENDPOINT), and used
where --labels is not given.`,
		Example: `  lxmert pull unc-nlp/lxmert-vqa-uncased
  lxmert pull unc-nlp/lxmert-base-uncased@main --json
  lxmert ask --model unc-nlp/lxmert-vqa-uncased --features train2014_obj36.tsv --image-id COCO_train2014_000000573195 "What animal is this?"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s wants the name of one model, ORG/NAME, found %d arguments", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !quiet {
				show := newPulling(cmd.ErrOrStderr())
				defer show.line.leave()
				o.Progress, o.Note = show.set, show.note
			}
			found, err := hub.Pull(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), pulledRecord{found.Repo, found.Revision, found.Commit, found.Dir, found.Labels, found.Files, found.Bytes})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), found.Dir)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Revision, "revision", "", "`branch`, tag or commit (default: main)")
	flags.StringVar(&o.TokenFile, "token-file", "", "`file` with the token (default: HF_TOKEN, or the one that Hugging Face's login writes)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.BoolVar(&quiet, "quiet", false, "show neither progress nor notes")
	return cmd
}

// pulledRecord is pull's JSON.
type pulledRecord struct {
	Repo     string   `json:"repo"`
	Revision string   `json:"revision"`
	Commit   string   `json:"commit"`
	Dir      string   `json:"dir"`
	Labels   string   `json:"labels,omitempty"` // the answer table, where it is known and not in dir
	Files    []string `json:"files"`
	Bytes    int64    `json:"downloaded_bytes"`
}
