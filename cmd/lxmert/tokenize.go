package main

import (
	"bufio"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/hub"
	"github.com/go-lxmert/lxmert/tokenizer"
)

func newTokenize() *cobra.Command {
	var model, vocab, file, mode string
	var decode bool
	cmd := &cobra.Command{
		Use:   "tokenize (--model DIR | --vocab FILE | --tokenizer FILE) < in.jsonl > out.jsonl",
		Short: "Turn texts into token ids, and ids into text",
		Long: `tokenize reads JSON objects, one a line, and writes one line for each.

A line has an "id" (any JSON) and
  "text", and "pair" if there is a second text;
  or "texts", a batch: strings, or lists of a text and its pair;
  or, with --decode, "ids" ("skip_special_tokens", "clean_up_tokenization_spaces").
It may have
  "ctor"          do_lower_case, strip_accents, tokenize_chinese_chars; in slow mode
                  also never_split, do_basic_tokenize
  "added_tokens"  a list of {content, special, single_word, lstrip, rstrip, normalized}
  "call"          add_special_tokens, truncation, max_length, stride, truncation_side,
                  padding, pad_to_multiple_of, padding_side, return_overflowing_tokens
  "max_seq_length"  in original mode, 20 if it is not there
with the names and meanings of the Python tokenizers. Other fields are passed over.

What comes out is {"id": …, "encoding": {…}}, "encodings" for a batch, "text" for ids. What
cannot be done is {"id": …, "error": …}, and "detail" where the error is the reference's
own. A line that is not such an object is {"id": null, "line": n, "error": …}; the rest is
still done, and the exit code is 1.`,
		Example: `  echo '{"id": 1, "text": "What color is the cat?"}' | lxmert tokenize --model DIR
  lxmert tokenize --vocab vocab.txt --mode slow < questions.jsonl > tokens.jsonl
  echo '{"id": 1, "text": "one two three", "call": {"truncation": true, "max_length": 4}}' |
      lxmert tokenize --tokenizer tokenizer.json
  echo '{"id": 1, "ids": [101, 2054, 102], "skip_special_tokens": true}' |
      lxmert tokenize --model DIR --decode`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("tokenize takes no arguments, got %q; it reads standard input", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if vocab == "" && file == "" {
				found, err := findModel(cmd, model, hub.Options{WithoutWeights: true})
				if err != nil {
					return err
				}
				model = found.Dir
			}
			t, err := loadTokenizer(model, vocab, file, mode)
			if err != nil {
				return err
			}
			run := tokenizeRun{base: t, decode: decode, out: bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)}
			return run.all(cmd.Context(), cmd.InOrStdin())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "`directory` with tokenizer.json or vocab.txt, or a model's name on the hub")
	flags.StringVar(&vocab, "vocab", "", "vocab.txt `file`, one token a line")
	flags.StringVar(&file, "tokenizer", "", "tokenizer.json `file`")
	flags.StringVar(&mode, "mode", "fast", "follow the fast, slow or original `reference`")
	flags.BoolVar(&decode, "decode", false, "turn ids into text")
	return cmd
}

// loadTokenizer loads from the one place that is given.
func loadTokenizer(model, vocab, file, mode string) (*tokenizer.Tokenizer, error) {
	given := 0
	for _, s := range []string{model, vocab, file} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return nil, usagef("want one of --model, --vocab and --tokenizer, got %d", given)
	}
	m, err := tokenizer.ParseMode(mode)
	if err != nil {
		return nil, usageError{err}
	}
	switch {
	case model != "":
		return tokenizer.Load(model, tokenizer.WithMode(m))
	case vocab != "":
		return tokenizer.LoadVocab(vocab, tokenizer.WithMode(m))
	}
	return tokenizer.LoadJSON(file, tokenizer.WithMode(m))
}
