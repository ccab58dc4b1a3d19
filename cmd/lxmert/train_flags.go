package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// trainFlags are what pretrain and finetune have in common.
type trainFlags struct {
	train.Options
	initDir, bert, config, vocab         string
	initLabels                           string // the answer table of --init, where that does not have it but it is known
	sets                                 []string
	optimizer, course, saveEvery, engine string
	dropout                              float64
	maxTokens                            int
	tiny, fast, skipBad, index, resume   bool
	compute                              model.Options
	reduceTimeout                        time.Duration
	reduceType                           string
	hide                                 hiding
}

// A trainingRecipe is what the original trains with.
type trainingRecipe struct {
	batch, epochs      int
	rate, warmup, clip float64
}

// trainForms says in both verbs' help what a run is.
const trainForms = `A run is a directory. RUN/last is a model directory, and all that the run needs to go on: one that was stopped (Ctrl-C) or killed, at any
moment, goes on with --resume and the same options, and ends with the same weights, to the bit, as one that was not. RUN/best is the model directory of
the best validation. RUN/log.jsonl has a line for each step and each epoch, which lxmert plot draws; RUN/events.out.tfevents… is the same for
TensorBoard; RUN/run.json says what the run was made of.`

func (f *trainFlags) add(cmd *cobra.Command, r trainingRecipe, rates string) {
	flags := cmd.Flags()
	flags.StringVar(&f.Out, "out", "", "`directory` of the run")
	flags.BoolVar(&f.resume, "resume", false, "go on with the run in --out, if there is one")
	flags.StringVar(&f.initDir, "init", "", "model `directory`, or name on the hub, to begin with (default: fresh weights)")
	flags.StringVar(&f.bert, "bert", "", "`directory`, or name on the hub, of a BERT checkpoint that the language side begins with")
	flags.StringVar(&f.config, "config", "", "config.json of a model with fresh weights (default: LXMERT's base size)")
	flags.StringArrayVar(&f.sets, "set", nil, "override a config `key=value` of a model with fresh weights (repeatable)")
	flags.StringVar(&f.vocab, "vocab", "", "vocabulary `file` (vocab.txt) (default: --init's or --bert's)")
	flags.IntVar(&f.Batch, "batch", r.batch, "`examples` a step")
	flags.IntVar(&f.Accumulate, "accumulate", 1, "`parts` in which a batch goes through the model, one after the other, to save memory; ranks and their devices divide them\n(default: the run's; of one that begins, one for each device of each rank)")
	flags.IntVar(&f.Devices, "devices", 1, "`devices` of the engine, such as GPUs, that each compute some of these parts")
	flags.IntVar(&f.Epochs, "epochs", r.epochs, "`times` that all examples are learned")
	flags.IntVar(&f.MaxSteps, "max-steps", 0, "end after so many `steps`; the learning rate goes the way of all --epochs")
	flags.Float64Var(&f.Rate, "lr", r.rate, "highest learning `rate`"+rates)
	flags.Float64Var(&f.Warmup, "warmup", r.warmup, "`share` of the steps in which the learning rate rises")
	flags.StringVar(&f.course, "schedule", "", "what the learning rate does then: linear, constant or cosine (default linear; constant for adam)")
	flags.Float64Var(&f.Clip, "clip", r.clip, "largest `norm` of all gradients together; 0: any")
	flags.StringVar(&f.optimizer, "optimizer", "bertadam", "bertadam (the original's), adamw or adam")
	flags.Float64Var(&f.dropout, "dropout", 0.1, "`share` of hidden states and of attention that is dropped")
	flags.IntVar(&f.maxTokens, "max-tokens", originalTokens, "cut sentences to `n` tokens, [CLS] and [SEP] included")
	flags.Uint64Var(&f.Seed, "seed", 9595, "`seed` of all that is left to chance")
	flags.BoolVar(&f.NoShuffle, "no-shuffle", false, "learn the examples in the order of the file")
	flags.IntVar(&f.Patience, "patience", 0, "end after `n` epochs without a better validation (default: never)")
	flags.BoolVar(&f.tiny, "tiny", false, "take the first 512 pictures only, to try whether all works")
	flags.BoolVar(&f.fast, "fast", false, "take the first 5,000 pictures only")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "name and count examples that cannot be used, and go on")
	flags.BoolVar(&f.index, "index", false, "keep an index beside a feature file (TSV)")
	flags.IntVar(&f.LogEvery, "log-every", 1, "`steps` for each line of the log")
	flags.StringVar(&f.saveEvery, "save-every", "15m", "`steps` (500) or time (10m) between checkpoints within an epoch; 0: none")
	flags.IntVar(&f.Keep, "keep", 1, "keep the last `n` checkpoints: RUN/last, and RUN/step-… before it")
	flags.BoolVar(&f.compute.BFloat16, "bf16", false, "multiply in bfloat16, with float32 weights, where the engine can")
	flags.BoolVar(&f.compute.Checkpointing, "checkpointing", false, "compute the layers twice, to save memory (gradient checkpointing)")
	flags.DurationVar(&f.reduceTimeout, "reduce-timeout", 30*time.Minute, "with MPI: how long ranks wait for another before all give up")
	flags.StringVar(&f.reduceType, "reduce-dtype", "", "with MPI: `type` in which gradients go from rank to rank: f32 or, in half the bytes, bf16 (default f32)")
	f.hide.add(cmd)
	backendFlag(cmd, &f.engine)
}

// check turns text into options and refuses what means nothing.
func (f *trainFlags) check(cmd *cobra.Command) error {
	switch f.optimizer {
	case "bertadam":
		f.Optimizer = train.BertAdam{}
	case "adamw":
		f.Optimizer = train.AdamW{WeightDecay: 0.01}
	case "adam":
		f.Optimizer = train.AdamW{}
		if f.course == "" { // as the original's, which has a schedule for BERT's alone
			f.course = string(train.Constant)
			if warmup := cmd.Flags().Lookup("warmup"); !warmup.Changed {
				if err := warmup.Value.Set("0"); err != nil { // in the run's record, too
					return err
				}
			}
		}
	default:
		return usagef("--optimizer: found %q, want bertadam, adamw or adam", f.optimizer)
	}
	if f.course == "" {
		f.course = string(train.Linear)
	}
	f.Course = train.Course(f.course)
	if f.saveEvery != "0" {
		steps, errSteps := strconv.Atoi(f.saveEvery)
		interval, errTime := time.ParseDuration(f.saveEvery)
		switch {
		case errSteps == nil && steps > 0:
			f.SaveSteps = steps
		case errTime == nil && interval > 0:
			f.SaveInterval = interval
		default:
			return usagef("--save-every: found %q, want a number of steps, or a time such as 10m", f.saveEvery)
		}
	}
	if err := f.hide.check(); err != nil {
		return err
	}
	switch f.reduceType {
	case "", "f32", "bf16":
		f.ReduceBFloat16 = f.reduceType == "bf16"
	default:
		return usagef("--reduce-dtype: found %q, want f32 or bf16", f.reduceType)
	}
	switch {
	case f.reduceTimeout <= 0:
		return usagef("--reduce-timeout: found %v, want more than 0", f.reduceTimeout)
	case f.tiny && f.fast:
		return usagef("--tiny and --fast: choose one of them")
	case f.LogEvery < 1 || f.Keep < 1 || f.Accumulate < 1 || f.Devices < 1:
		return usagef("--log-every, --keep, --accumulate and --devices: want 1 or more")
	case !(f.dropout >= 0 && f.dropout < 1):
		return usagef("--dropout: found %v, want a share, from 0 to less than 1", f.dropout)
	case f.initDir != "" && (f.config != "" || f.bert != ""):
		return usagef("--init says all about the model; --config and --bert are for fresh weights")
	case f.initDir == "" && f.vocab == "" && f.bert == "":
		return usagef("a model with fresh weights needs --vocab; or give --init or --bert")
	}
	return nil
}

// find replaces models' names by their directories.
func (f *trainFlags) find(cmd *cobra.Command) (err error) {
	if f.initDir, f.initLabels, err = modelAndLabels(cmd, f.initDir, ""); err != nil {
		return fmt.Errorf("--init: %w", err)
	}
	if f.bert, err = modelDir(cmd, f.bert); err != nil {
		return fmt.Errorf("--bert: %w", err)
	}
	return nil
}

// settings are all options, for the run's record: those that decide the result, and those that say where something is.
func settings(cmd *cobra.Command) (decide, files map[string]string) {
	decide, files = map[string]string{}, map[string]string{}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		value := flag.Value.String()
		if value == "" || value == "[]" {
			return
		}
		switch flag.Name {
		case "resume", "keep", "save-every", "log-every", "index", "help", "reduce-timeout", "devices":
		case "out", "backend", "init", "bert", "config", "vocab", "labels", "load-answers", "load-answers-labels",
			"data", "valid-data", "train", "valid", "annotations", "valid-annotations", "features":
			files[flag.Name] = value
		default:
			decide[flag.Name] = value
		}
	})
	return decide, files
}

// limit is how many pictures are taken; 0: all.
func (f *trainFlags) limit() int {
	switch {
	case f.tiny:
		return 512
	case f.fast:
		return 5000
	}
	return 0
}

// describeBegun says where weights have come from.
func describeBegun(b *tasks.Begun) string {
	var parts []string
	if n := b.Transferred + b.Unknown; n > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s answers take over their pre-trained weights, the others begin with 0", grouped(b.Transferred), grouped(n)))
	}
	if b.NotAnswering {
		parts = append(parts, "the answer head is left out, for its answers are others")
	}
	if n := len(b.Fresh); n > 0 && b.All {
		parts = append(parts, fmt.Sprintf("all %d weights begin afresh", n))
	} else if n > 0 {
		parts = append(parts, fmt.Sprintf("%d weights begin afresh, the first is %s", n, b.Fresh[0]))
	}
	return strings.Join(parts, "; ")
}

// labelsOf reads the answers of a model directory or, if given, of a file.
func labelsOf(file, dir string) ([]string, error) {
	if file != "" {
		return lxmert.ReadLabels(file)
	}
	return lxmert.DirectoryLabels(dir)
}
