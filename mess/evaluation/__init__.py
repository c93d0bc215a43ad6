"""Evaluation: does search do what its sliders say?"""
