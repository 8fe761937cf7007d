"""The workflow of one check and its decision: values in, values out, through ports."""
