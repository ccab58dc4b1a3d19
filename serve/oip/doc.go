// Package oip serves models by the Open Inference Protocol, version 2, which KServe, Triton, OpenVINO's model server and MLServer speak: over HTTP and
// JSON with Triton's extensions for tensors in binary, for the model repository and for statistics, and over gRPC.
//
// A model NAME of the service is two models of the protocol. NAME takes pictures, or the regions of pictures, and questions, and gives answers.
// NAME-tensors takes what LXMERT takes under the reference's argument names, and gives what it gives.
//
// The specification is github.com/kserve/open-inference-protocol, the extensions are in github.com/triton-inference-server/server, docs/protocol.
package oip
