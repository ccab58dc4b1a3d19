package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

func newInspect() *cobra.Command {
	var asJSON bool
	var other string
	cmd := &cobra.Command{
		Use:   "inspect PATH [--diff OTHER]",
		Short: "Show what a checkpoint holds and which models it fits, or how two differ",
		Long: `Inspect looks at a model directory or a model of that name on the hub, a file of weights of any format (safetensors, PyTorch, TensorFlow, the original repository's), or an
index of several: its configuration, its tensors, how many parameters there are, and what each of LXMERT's classes would miss in it or
have no use for. Weights are not read.

With --diff it compares all weights with those of another checkpoint, of any format and type: for each tensor that differs the largest difference of
two elements, and what that is of the largest element. The exit code is 1 if anything differs.`,
		Example: `  lxmert inspect DIR
  lxmert inspect --json model.safetensors
  lxmert inspect BEST.pth --diff converted`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s wants one path, found %d", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := modelDir(cmd, args[0])
			if err != nil {
				return err
			}
			if other != "" {
				if other, err = modelDir(cmd, other); err != nil {
					return err
				}
				return printDiff(cmd.OutOrStdout(), path, other, asJSON)
			}
			inspection, err := pretrained.Inspect(path)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), inspectionRecord(inspection))
			}
			return printInspection(cmd.OutOrStdout(), inspection)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&other, "diff", "", "another `checkpoint` to compare all weights with")
	return cmd
}

// heads in the order in which inspect reports them.
var heads = []model.Head{model.HeadModel, model.HeadQuestionAnswering, model.HeadNLVR2, model.HeadPreTraining}

func printInspection(w io.Writer, i *pretrained.Inspection) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for k, file := range i.Files {
		fmt.Fprintf(table, "file\t%s (%s)\n", file, i.Formats[k])
	}
	fmt.Fprintf(table, "parameters\t%s in %d tensors\n", grouped(i.Values), len(i.Tensors))
	if c := i.Config; c != nil {
		fmt.Fprintf(table, "class\t%s\n", i.Head.Class())
		fmt.Fprintf(table, "layers\t%d language, %d object-relationship, %d cross-modality\n", c.LanguageLayers, c.VisionLayers, c.CrossLayers)
		fmt.Fprintf(table, "hidden\t%d in %d heads, %d inside the feed-forward networks, %s\n", c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize, c.HiddenAct)
		fmt.Fprintf(table, "words\t%d, at most %d tokens\n", c.VocabSize, c.MaxPositionEmbeddings)
		fmt.Fprintf(table, "regions\tfeatures of %d numbers, positions of %d%s\n", c.VisualFeatDim, c.VisualPosDim, by(pretrained.Preset(c)))
		fmt.Fprintf(table, "answers\t%d%s\n", c.NumQALabels, map[bool]string{true: " (named in id2label)"}[len(c.ID2Label) == c.NumQALabels])
		for _, head := range heads {
			fmt.Fprintf(table, "%s\t%s\n", head.Class(), fitLine(i.Fits[head]))
		}
	} else {
		fmt.Fprintf(table, "config.json\tnot there: %s\n", strings.ReplaceAll(i.NoConfig.Error(), "\n", "; "))
	}
	fmt.Fprintln(table)
	for _, tensor := range i.Tensors {
		fmt.Fprintf(table, "%s\t%v%s\t%v\t%s\n", plain(tensor.Name), tensor.DType, scaled(tensor), tensor.Shape, storedAs(i.Stored[tensor.Name]))
	}
	return table.Flush()
}

// scaled says that a tensor is quantised.
func scaled(t checkpoint.Tensor) string {
	if t.Scales == nil {
		return ""
	}
	return " × " + t.Scales.DType.String()
}

// storedAs says what a tensor is called in its file, if that is not its name.
func storedAs(name string) string {
	if name == "" {
		return ""
	}
	return "in the file " + plain(name)
}

// by names the detector of regions, if it is known.
func by(preset string) string {
	if preset == "" {
		return ""
	}
	return " by " + plain(preset)
}

// fitLine says in a line how a checkpoint fits a class.
func fitLine(fit pretrained.Fit) string {
	var parts []string
	if len(fit.Missing) > 0 {
		parts = append(parts, fmt.Sprintf("%d missing: %s", len(fit.Missing), listed(fit.Missing)))
	}
	if len(fit.Unexpected) > 0 {
		parts = append(parts, fmt.Sprintf("%d of no use to it: %s", len(fit.Unexpected), listed(fit.Unexpected)))
	}
	if fit.Err != nil {
		parts = append(parts, "refused: "+strings.ReplaceAll(fit.Err.Error(), "\n", "; "))
	}
	if len(parts) == 0 {
		return "fits exactly"
	}
	return strings.Join(parts, "; ")
}

// listed names a few and counts the rest.
func listed(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, … (--json lists all)", strings.Join(names[:few], ", "))
}

// grouped writes 213930297 as 213,930,297.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

type tensorRecord struct {
	Name   string `json:"name"`
	Stored string `json:"stored,omitempty"` // its name in the file, if that is another
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Scales string `json:"scales,omitempty"` // their type, of a quantised tensor
}

type fitRecord struct {
	Missing    []string `json:"missing"`
	Unexpected []string `json:"unexpected"`
	Error      string   `json:"error,omitempty"`
}

type inspectRecord struct {
	Files      []string             `json:"files"`
	Formats    []string             `json:"formats"` // of the files
	Metadata   map[string]string    `json:"metadata,omitempty"`
	Parameters int                  `json:"parameters"`
	Class      string               `json:"class,omitempty"`
	Config     *model.Config        `json:"config,omitempty"`
	Fits       map[string]fitRecord `json:"fits,omitempty"`
	Tensors    []tensorRecord       `json:"tensors"`
}

func inspectionRecord(i *pretrained.Inspection) inspectRecord {
	record := inspectRecord{Files: i.Files, Formats: formatNames(i.Formats), Metadata: i.Meta, Parameters: i.Values, Config: i.Config, Tensors: tensorRecords(i)}
	if i.Config != nil {
		record.Class = i.Head.Class()
		record.Fits = map[string]fitRecord{}
	}
	for head, fit := range i.Fits {
		fitted := fitRecord{Missing: append([]string{}, fit.Missing...), Unexpected: append([]string{}, fit.Unexpected...)}
		if fit.Err != nil {
			fitted.Error = fit.Err.Error()
		}
		record.Fits[head.Class()] = fitted
	}
	return record
}

func tensorRecords(i *pretrained.Inspection) []tensorRecord {
	records := make([]tensorRecord, len(i.Tensors))
	for k, tensor := range i.Tensors {
		records[k] = tensorRecord{Name: tensor.Name, Stored: i.Stored[tensor.Name], DType: tensor.DType.String(), Shape: append([]int{}, tensor.Shape...)}
		if tensor.Scales != nil {
			records[k].Scales = tensor.Scales.DType.String()
		}
	}
	return records
}

func formatNames(formats []checkpoint.Format) []string {
	names := make([]string, len(formats))
	for i, format := range formats {
		names[i] = format.String()
	}
	return names
}

// printJSON prints one object on one line.
func printJSON(w io.Writer, record any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(record)
}
