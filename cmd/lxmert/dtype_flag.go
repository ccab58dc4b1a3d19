package main

import (
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// A dtypeFlag is --dtype: how a network keeps its weights, and multiplies. Without it that is up to the checkpoint.
type dtypeFlag struct{ precision *model.Precision }

// add adds --dtype.
func (f *dtypeFlag) add(cmd *cobra.Command) {
	cmd.Flags().Var(f, "dtype", "keep the model's weights as `type` f32, bf16 or int8, and multiply so: less memory and time, nearly the same answers\n"+
		"(docs/precision.md; default: int8 for a quantised model, else f32)")
}

// Set implements pflag.Value.
func (f *dtypeFlag) Set(text string) error {
	p, err := model.ParsePrecision(text)
	if err == nil {
		f.precision = &p
	}
	return err
}

// String implements pflag.Value.
func (f *dtypeFlag) String() string {
	if f.precision == nil {
		return ""
	}
	return f.precision.String()
}

// Type implements pflag.Value.
func (f *dtypeFlag) Type() string { return "type" }

// options are the library's for what was given.
func (f *dtypeFlag) options() []lxmert.Option {
	if f.precision == nil {
		return nil
	}
	return []lxmert.Option{lxmert.WithDType(*f.precision)}
}

// load are the options with which a network is loaded.
func (f *dtypeFlag) load() pretrained.Options {
	if f.precision == nil {
		return pretrained.Options{AsStored: true}
	}
	return pretrained.Options{Precision: *f.precision}
}

// or is what was given, or else the default.
func (f *dtypeFlag) or(p model.Precision) model.Precision {
	if f.precision == nil {
		return p
	}
	return *f.precision
}
