"""What is measured of the service, and the ways of single requests through it. Numbers and names of ours only: nothing that a
caller sent gets in here, and nothing of what is measured is known here.
"""
