package main

func bf16() {}
