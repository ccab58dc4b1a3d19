package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
)

// A shardFlag is --shard: which part of the work is this process's.
type shardFlag struct {
	text  string
	part  data.Part // zero: all of it
	found string    // where auto has it from
}

// shardHelp is what both verbs' help says of it.
const shardHelp = `With --shard i/n, i from 0, n processes share the work, on one machine or many: each does the pictures whose ids fall to its
part (a hash of the id), and may be killed and started again. --shard auto takes i and n from a Slurm array (SLURM_ARRAY_TASK_ID, _COUNT, _MIN,
_MAX) or from a Kubernetes indexed job (JOB_COMPLETION_INDEX, and JOB_COMPLETIONS, which its manifest must set).`

func (f *shardFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "shard", "", "do part `i/n` of the work, i from 0, or auto: as the Slurm array or the Kubernetes job has it")
}

// set understands what was given.
func (f *shardFlag) set() (err error) {
	switch f.text {
	case "":
	case "auto":
		f.part, f.found, err = partFromEnvironment(os.Getenv)
	default:
		f.part, err = data.ParsePart(f.text)
	}
	if err != nil {
		return usagef("--shard: %v", err)
	}
	return nil
}

// say says which part it is, where the environment has said so.
func (f *shardFlag) say(w io.Writer) {
	if f.found != "" {
		fmt.Fprintf(w, "part %v, by %s\n", f.part, f.found)
	}
}

// of is "part 3/8 of ", or nothing.
func (f *shardFlag) of() string {
	if f.part.IsZero() {
		return ""
	}
	return fmt.Sprintf("part %v: ", f.part)
}

// partFromEnvironment is the part of a Slurm array's task, or of a pod of a Kubernetes indexed job, and by which variables.
func partFromEnvironment(getenv func(string) string) (data.Part, string, error) {
	const slurm, kubernetes = "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"
	inSlurm, inKubernetes := getenv(slurm) != "", getenv(kubernetes) != ""
	switch {
	case inSlurm && inKubernetes:
		return data.Part{}, "", fmt.Errorf("auto: found both %s and %s, want one of them, or i/n", slurm, kubernetes)
	case !inSlurm && !inKubernetes:
		return data.Part{}, "", fmt.Errorf("auto: found neither %s (a Slurm array) nor %s (a Kubernetes indexed job), want one of them, or i/n",
			slurm, kubernetes)
	}
	var found []string
	number := func(name string, otherwise int) (int, error) {
		text := getenv(name)
		if text == "" && otherwise >= 0 {
			return otherwise, nil
		}
		found = append(found, name+"="+text)
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("auto: %s: found %q, want a whole number", name, text)
		}
		return n, nil
	}
	if inKubernetes {
		index, err := number(kubernetes, -1)
		if err != nil {
			return data.Part{}, "", err
		}
		of, err := number("JOB_COMPLETIONS", -1)
		if err != nil {
			return data.Part{}, "", fmt.Errorf("%w: Kubernetes does not set it; the job's manifest must, to its completions", err)
		}
		p, err := data.ParsePart(fmt.Sprintf("%d/%d", index, of))
		return p, strings.Join(found, ", "), err
	}
	var values [5]int
	for i, v := range []struct {
		name      string
		otherwise int
	}{{slurm, -1}, {"SLURM_ARRAY_TASK_COUNT", -1}, {"SLURM_ARRAY_TASK_MIN", 0}, {"SLURM_ARRAY_TASK_STEP", 1}, {"SLURM_ARRAY_TASK_MAX", 0}} {
		var err error
		if values[i], err = number(v.name, v.otherwise); err != nil {
			return data.Part{}, "", err
		}
	}
	id, count, first, step, last := values[0], values[1], values[2], max(1, values[3]), values[4]
	by := strings.Join(found, ", ")
	if last > 0 && (last-first)/step+1 != count || id < first || (id-first)%step != 0 {
		return data.Part{}, "", fmt.Errorf("auto: the Slurm array's numbers (%s) do not follow each other, so its tasks cannot be told parts: "+
			"want an array such as 0-7, or --shard i/n, for instance --shard $%s/8", by, slurm)
	}
	p, err := data.ParsePart(fmt.Sprintf("%d/%d", (id-first)/step, count))
	if err != nil {
		err = fmt.Errorf("%w (%s)", err, by)
	}
	return p, by, err
}
